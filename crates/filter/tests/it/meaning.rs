//! The language, as a table.

use signalpost_core::event::EventContent;
use signalpost_filter::{Filter, Subject};

use crate::subject::{event, judged};

const ORDER: &str = r#"{
    "id": 17, "amount": 150, "tax": 19.5, "currency": "EUR", "paid": true, "note": null, "big": 18446744073709551615,
    "huge": 123456789012345678901234567890, "name": "K\u00e4se \ud83e\uddc0", "created": "2026-05-05T10:00:00Z",
    "items": [{"sku": "a-1", "qty": 2}, {"sku": "b-2", "qty": 5, "gift": true}], "tags": ["new", "web"],
    "customer": {"country": "DE", "vip": false}, "a-b": 1, "twice": 1, "twice": 2, "empty": {}
}"#;

#[test]
fn what_is_wanted_is_wanted() {
    for filter in [
        "true",
        "type == 'order.paid' && subject == 'D5'",
        "type.startsWith('order.') && type.endsWith('paid') && type.contains('r.p')",
        "subject != null",
        "data.amount > 100 && data.currency in ['EUR', 'USD']",
        "data.amount == 150.0 && data.amount < 150.5 && data.tax > 19 && data.tax < 20",
        "data.big > 9223372036854775807 && data.big == 18446744073709551615u && data.big > data.tax",
        "data.huge > data.big && data.huge == 123456789012345678901234567890.0",
        "data.amount * 1.19 > 178.4 && data.amount + data.tax == 169.5",
        "data.amount / 100 == 1 && data.amount % 100 == 50 && -data.amount / 100 == -1 && -data.amount % 100 == -50",
        "data.amount / 100.0 == 1.5 && 1.0 / 0.0 > data.big",
        "data['a-b'] == 1 && data.items[1].sku == 'b-2' && data.items[1.0].qty == 5",
        "data.twice == 2 && data.customer.country == \"DE\"",
        "has(data.customer.vip) && !has(data.customer.age) && has(data.note) && !has(data.items[0].gift)",
        "data.note == null && data.name != null && data.note != 1",
        "data.items.exists(i, i.sku.startsWith('b') && i.qty >= 5)",
        "data.items.all(i, i.qty > 1) && [].all(x, false) && ![].exists(x, true)",
        "data.items.exists_one(i, i.qty > 3) && data.items.existsOne(i, has(i.gift))",
        "data.items.filter(i, i.qty > 3).size() == 1 && data.items.map(i, i.qty) == [2, 5]",
        "data.items.map(i, i.qty > 3, i.sku) == ['b-2'] && data.items.map(i, i.qty)[1] == 5",
        "data.items.exists(i, data.tags.exists(t, t == 'web' && i.qty == 5))",
        "data.items.exists(i, data.tags.exists(i, i == 'web'))",
        "data.customer.exists(k, k == 'vip') && 'vip' in data.customer && !('x' in data.customer)",
        "data.customer == {'vip': false, 'country': 'DE'} && data.tags == ['new', 'web'] && data.tags != ['web']",
        "size(data.tags) == 2 && data.name.size() == 6 && size(data.customer) == 2 && data.empty.size() == 0",
        "data.size() == 16",
        "data.name == 'Käse 🧀' && data.name > 'Kas' && data.name.matches('^K.se')",
        "type.matches(r'^order\\.(paid|sent)$') && matches(type, '(?i)PAID') && !type.matches('^paid')",
        "time > timestamp('2026-05-05T10:00:00Z') && time < timestamp('2026-05-05T13:00:00+02:00')",
        "time - timestamp(data.created) < duration('1h') && time - duration('10m') < timestamp(data.created)",
        "time.getFullYear() == 2026 && time.getMonth() == 4 && time.getDayOfWeek() == 2 && time.getHours() == 10",
        "(time - timestamp(data.created)).getMinutes() == 6 && duration('90m') == duration('1h30m')",
        "int(time) == 1777975606 && timestamp(int(time)) < time && string(duration('90m')) == '5400s'",
        "string(data.amount) == '150' && int('7') == 7 && double('1.5') == data.tax - 18 && int(data.tax) == 19",
        "string(time) == '2026-05-05T10:06:46.15Z' && bool('true') && uint(3.9) == 3u && string(true) == 'true'",
        "'a' + 'b' == 'ab' && [1] + data.tags == [1, 'new', 'web'] && dyn(1) == 1",
        "data.paid ? data.amount > 1 : data.missing > 1",
        "data.missing > 1 || data.paid",
        "!(data.missing > 1 && !data.paid)",
        "data.items.exists(i, i.gift)",
        "data.amount == '150' || data.amount != 'x'",
        "1 == 1.0 && 9007199254740993 != 9007199254740992.0 && 0 == -0.0",
        "true > false && 'a' < 'b' && [1, [2, {'a': 3}]] == [1.0, [2, {'a': 3u}]]",
        "{1: 'a'}[1.0] == 'a' && {true: 1}[true] == 1 && !(1 in {'1': 1})",
        "// what it is about\n data.amount\n > 1",
        "\"a\\n\\u00fc\\x41\" == 'a\nüA' || '\\'' == \"'\" && '''a'b''' == \"a'b\" && r'\\d' == '\\\\d'",
    ] {
        let filter = filter.replace("'a\nüA'", "'''a\nüA'''");
        assert_eq!(judged(&filter, ORDER), Ok(true), "{filter}");
    }
}

#[test]
fn what_is_not_wanted_is_not() {
    for filter in [
        "false",
        "data.currency == 'eur'",
        "data.amount > 150",
        "data.items.all(i, has(i.gift))",
        "type in data.tags",
        "data.missing > 1 && false",
        "data.note == 0 || data.note == false || data.note == ''",
        "data.customer == {'country': 'DE'}",
        "0.0 / 0.0 == 0.0 / 0.0 || 0.0 / 0.0 < 1 || 0.0 / 0.0 >= 1",
        "[1, 2] == [2, 1] || [1] == [1, 1] || {} == dyn([])",
        "data.amount in data.tags",
    ] {
        assert_eq!(judged(filter, ORDER), Ok(false), "{filter}");
    }
}

#[test]
fn what_cannot_be_decided_says_why() {
    let table = [
        ("data.missing", "there is no member `missing`; has() tells whether there is one"),
        ("data.customer.age > 1", "there is no member `age`"),
        ("data.amount.x == 1", "only a map has members; this is a number"),
        ("data.note.x == 1", "only a map has members; this is null"),
        ("has(data.note.x)", "only a map has members; this is null"),
        ("data.items.qty == 1", "only a map has members; this is a list"),
        ("data.items[2].qty == 1", "there is no element 2"),
        ("data.items[-1].qty == 1", "there is no element -1"),
        ("data.items[0.5].qty == 1", "whole number"),
        ("data.items['0'].qty == 1", "an element of a list has a number; this is a string"),
        ("data.amount", "a bool is needed; this is a number"),
        ("data.amount && true", "a bool is needed; this is a number"),
        ("!data.note", "a bool is needed; this is null"),
        (
            "data.amount > '100'",
            "only two numbers, strings, bools, timestamps or durations have an order; this is a string",
        ),
        ("data.note < 1", "this is null"),
        ("data.name + 1 == 2", "these two cannot be reckoned with each other; this is a string"),
        ("data.big + 1 > 0", "an integer leaves its range"),
        ("-data.big < 0", "an integer leaves its range"),
        ("data.big * data.big > 0", "an integer leaves its range"),
        ("data.amount / 0 == 1", "divided by zero"),
        ("data.amount % 0 == 1", "divided by zero"),
        ("data.tax % 2 == 1", "only whole numbers have a remainder"),
        ("data.amount.startsWith('1')", "a string is needed; this is a number"),
        ("size(data.amount) == 1", "size() needs a string, a list or a map; this is a number"),
        ("data.amount.exists(x, true)", "a list or a map is needed; this is a number"),
        ("'a' in data.name", "`in` looks into lists and maps; this is a string"),
        ("data.amount.matches('1')", "matches() needs a string; this is a number"),
        ("int(data.name) == 1", "this cannot be made an integer"),
        ("int(data.huge) == 1", "this cannot be made an integer"),
        ("uint(-1) == 1", "without a sign"),
        ("double(data.name) == 1", "this cannot be made a double"),
        ("bool(data.name)", "this cannot be made a bool"),
        ("string(data.items) == ''", "string() cannot be used with this; this is a list"),
        ("timestamp(data.name) < time", "this cannot be made a timestamp"),
        ("timestamp(data.big) < time", "this cannot be made a timestamp"),
        ("duration(data.name) < duration('1s')", "this cannot be made a duration"),
        ("time + duration('87600000h') > time", "leaves its range"),
        ("dyn(duration('1h')).getFullYear() == 1", "a duration has no date"),
        ("{data.name: 1, data.name: 2} == {}", "a key of a map repeats"),
        ("{data.items: 1} == {}", "a key is a string, a number or a bool"),
        ("data.items.all(i, i.gift)", "there is no member `gift`"),
        ("data.items.exists_one(i, i.gift)", "there is no member `gift`"),
        ("data.items.map(i, i.gift) == []", "there is no member `gift`"),
        ("data.missing > 1 || false", "there is no member `missing`"),
    ];
    for (filter, message) in table {
        let failure = judged(filter, ORDER).expect_err(filter);
        assert!(failure.contains(message), "{filter}: {failure}");
    }
}

/// A filter that does not look at the data does not care what it is.
#[test]
fn data_that_cannot_be_read_fails_only_those_who_look() {
    for data in ["1e999", "[1, 2", "\"\\ud800\""] {
        assert_eq!(judged("type == 'order.paid' || data == 1", data), Ok(true), "{data}");
        let failure = judged("data == 1", data).expect_err("it cannot be read");
        assert!(failure.starts_with("the event's data cannot be read: "), "{failure}");
    }
    for (data, filter) in [("[1, 2]", "data[1] == 2"), ("\"x\"", "data == 'x'"), ("null", "data == null")] {
        assert_eq!(judged(filter, data), Ok(true), "{data}");
    }
}

#[test]
fn an_event_needs_no_subject() {
    let content = EventContent { subject: None, ..event("{}") };
    let subject = Subject::of(&content);
    let ask = |text: &str| Filter::compile(text).expect("a filter").admits(&subject);
    assert_eq!(ask("subject == null"), Ok(true));
    assert_eq!(ask("subject == 'D5'"), Ok(false));
    let failure = ask("subject.startsWith('D')").expect_err("null begins with nothing");
    assert_eq!(failure.message, "a string is needed; this is null");
}

/// Once for an event, and only if somebody asks.
#[test]
fn data_is_read_once() {
    let content = event(&format!("{{\"n\": 1, \"pad\": \"{}\"}}", "x".repeat(40_000)));
    let subject = Subject::of(&content);
    let ask = |text: &str| {
        let before = subject.steps();
        assert_eq!(Filter::compile(text).expect("a filter").admits(&subject), Ok(true), "{text}");
        subject.steps() - before
    };
    assert!(ask("type == 'order.paid'") < 10);
    assert!(ask("data.n == 1") > 10_000);
    assert!(ask("data.n == 1") < 10);
}
