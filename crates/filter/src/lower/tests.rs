//! What compiling refuses, and where.

use crate::Filter;

/// The message and the place, in characters.
fn refused(text: &str) -> (String, usize) {
    match Filter::compile(text) {
        Ok(_) => panic!("`{text}` is a filter"),
        Err(error) => (error.message, error.position),
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let table = [
        ("ü == 1", 0, "the character 'ü' is not known here"),
        (
            "type == 'ü' && dat.x == 1",
            15,
            "the variable `dat` is not known; there are type, subject, time, data",
        ),
        (
            "data.items.all(i, j > 1)",
            18,
            "the variable `j` is not known; there are type, subject, time, data, i",
        ),
        ("id == '1'", 0, "the variable `id` is not known"),
        (".type == '1'", 1, "the variable `.type` is not known"),
        (
            "type.lower() == 'a'",
            10,
            "the function `lower` is not known; there are size, contains, startsWith",
        ),
        ("startsWith(type, 'a')", 10, "write it as x.startsWith(..)"),
        ("type.int() == 1", 8, "write it as int(x)"),
        ("type.contains()", 13, "contains() takes 1 arguments"),
        ("time.getHours('CET') > 7", 13, "getHours() takes 0 arguments; times are in UTC"),
        ("type ==", 7, "mismatched input the end; an operand is missing"),
        ("(type == 'a'", 12, "missing ')' at the end"),
        ("type == 'a' data", 12, "extraneous input 'data' expecting the end"),
        ("type = 'a'", 5, "`=` is not known here; `==` compares"),
        ("data.n == 99999999999999999999", 10, "invalid int literal"),
        ("data.?n == 1", 4, "unsupported syntax '.?'"),
        ("data.`a-b` == 1", 5, "a name in back-quotes is not known here; write data['a-b']"),
        ("if == 1", 0, "reserved identifier: if"),
        ("b'x' == data.x", 0, "bytes are not known here"),
        ("Order{n: 1} == data", 5, "messages are not known here"),
        ("type == ''\n  && data.x + ", 25, "an operand is missing"),
        ("has(data)", 3, "has() takes one member"),
        ("data.items.exists(i)", 17, "exists() takes a name and an expression over it"),
        ("data.items.exists(i.j, true)", 19, "a name for what is looked at is needed here"),
        ("data.matches(data.pattern)", 17, "must be a string that stands here"),
        ("type.matches('(a)(b)(c)(d)(e)(f)(g)(h)(i)')", 13, "write `(?:..)` for `(..)`"),
        ("type.matches('(')", 13, "the pattern cannot be used"),
        ("type.matches('(a{100}){100}')", 13, "the pattern cannot be used"),
        ("type.matches('a{400}') || type.matches('b{200}')", 39, "the pattern cannot be used"),
        ("time > timestamp('yesterday')", 16, "timestamp() takes a string such as '2026-05-05T10:06:46Z'"),
        ("duration('1d') > duration('1h')", 8, "duration() takes a string such as '1h30m'"),
    ];
    for (text, position, message) in table {
        let (found, place) = refused(text);
        assert!(found.contains(message), "{text}: {found}");
        assert_eq!(place, position, "{text}: {found}");
    }
}

#[test]
fn kinds_that_cannot_fit_are_refused() {
    let table = [
        ("type", "a filter must yield a bool; this yields a string"),
        ("size(type)", "yields a number"),
        ("[true]", "yields a list"),
        ("data.items.map(i, i.n)", "yields a list"),
        ("data.a ? 'x' : 'y'", "yields a string"),
        ("type && true", "a bool is needed here; this is a string"),
        ("!type", "a bool is needed here"),
        ("data.items.all(i, 1)", "a bool is needed here"),
        ("'a' ? true : false", "a bool is needed here"),
        ("type == 1", "a string never equals a number"),
        ("time == '2026-05-05T10:06:46Z'", "a timestamp never equals a string"),
        ("type > 1", "a string and a number have no order"),
        ("[1] < [2]", "a list and a list have no order"),
        ("data.x < [2]", "any value and a list have no order"),
        ("null < data.x", "null and any value have no order"),
        ("'a' in type", "for strings there is contains()"),
        ("1 in 2", "`in` looks into lists and maps; this is a number"),
        ("type + 1 == 'a1'", "a string + a number is not defined"),
        ("time + time == time", "a timestamp + a timestamp is not defined"),
        ("-type == 'a'", "a string has no negative"),
        ("type.x == 1", "a string has no members"),
        ("has(time.x)", "a timestamp has no members"),
        ("type[0] == 'a'", "a string has no elements"),
        ("[1]['a'] == 1", "a list has no element at a string"),
        ("{'a': 1}[[1]] == 1", "a map has no element at a list"),
        ("{[1]: 1} == data", "a list cannot be a key"),
        ("size(1) == 1", "size() cannot be used with a number"),
        ("type.exists(c, c == 'a')", "a list or a map is needed here; this is a string"),
        ("type.getHours() == 1", "getHours() cannot be used with a string"),
        ("time.matches('a')", "matches() cannot be used with a timestamp"),
    ];
    for (text, message) in table {
        let (found, _) = refused(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn a_filter_has_so_many_nodes() {
    let list = |count: usize| format!("1 in [{}]", vec!["1"; count].join(","));
    assert!(Filter::compile(&list(509)).is_ok());
    let (message, position) = refused(&list(600));
    assert!(message.contains("more than 512 operands"), "{message}");
    assert_eq!(position, 6 + 2 * 509);
}
