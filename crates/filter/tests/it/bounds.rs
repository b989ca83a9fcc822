//! Hostile filters and hostile events: nothing panics, nothing takes long, and every bound is where it is said to be.

use proptest::prelude::*;
use signalpost_core::limits::{FILTER_CHARS_MAX, FILTER_COST_MAX};
use signalpost_filter::{Filter, Subject};

use crate::subject::{event, judged};

/// What an evaluation costs at most beyond the bound: the one piece of work that was refused is not done.
fn within_bounds(filter: &Filter, data: &str) {
    let content = event(data);
    let subject = Subject::of(&content);
    let first = filter.admits(&subject);
    let reading = u64::try_from(data.len()).expect("small") / 4;
    assert!(subject.steps() <= FILTER_COST_MAX + reading);
    assert_eq!(first, filter.admits(&Subject::of(&content)), "the same says the same");
}

#[test]
fn what_costs_too_much_fails() {
    let many = format!("{{\"n\": [{}]}}", vec!["1"; 1_000].join(","));
    let long = format!("{{\"s\": \"{}\"}}", "a".repeat(100_000));
    let wide: Vec<String> = (0..2_000).map(|n| format!("\"k{n}\": {n}")).collect();
    let wide = format!("{{\"m\": {{{}}}}}", wide.join(","));
    let named = |n: usize| format!("{}{n:04}", "n".repeat(1_000));
    let alike: Vec<String> = (0..300).map(|n| format!("\"{}\": {n}", named(n))).collect();
    let alike = format!("{{\"k\": \"{}\", \"m\": {{{}}}}}", named(7), alike.join(","));
    let table = [
        ("data.n.exists(a, data.n.exists(b, a + b > 5))", &many),
        ("data.n.map(a, data.n).size() == data.n.map(a, data.n.map(b, b)).size()", &many),
        ("data.n.all(a, data.n == data.n)", &many),
        ("data.n.exists(a, a == 2 || data.n.exists(b, data.n.exists(c, c == 2)))", &many),
        ("data.s.matches('(a|b|c|d)*(a|b|c|d)*(a|b)*x')", &long),
        ("[data.s].map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).size() == 0", &long),
        ("data.m.all(k, data.m[k] > -1)", &wide),
        ("data.m.all(k, data.m == data.m)", &wide),
        // Names of one length are compared to their ends, and all of them when those that repeat are sorted out.
        ("data.m[data.k] == 7", &alike),
        ("data.k in data.m", &alike),
        ("data.m.size() == 300", &alike),
        // What failed before it does not hide it.
        ("data.missing || data.n.all(a, data.n.all(b, b == 1))", &many),
        ("data.n.exists(a, a.x == 1 && data.n.all(b, b == 1))", &many),
    ];
    for (filter, data) in table {
        let failure = judged(filter, data).expect_err(filter);
        assert_eq!(failure, format!("it takes more than {FILTER_COST_MAX} steps for this event"), "{filter}");
    }
    assert_eq!(judged("data.n.all(a, a == 1) && data.n.size() == 1000", &many), Ok(true));
    assert_eq!(judged("!data.s.contains('b')", &long), Ok(true));
    assert_eq!(judged("data.s.size() == 100000", &long), Ok(true));
    assert_eq!(judged("data.m.size() == 2000", &wide), Ok(true));
    assert_eq!(judged("data.m.k1999 == 1999 && data.m.k0 == 0", &wide), Ok(true));
}

/// What the lexer reads in another way than it looks hides nothing from the scan that counts depth.
#[test]
fn nothing_hides_what_nests() {
    let deep = "(".repeat(1_000);
    let table = [
        (format!("data.`//`{deep}"), "at character 5: a name in back-quotes is not known here"),
        (format!("0x1fr\"\\\"{deep}\""), "nests deeper than 64 levels"),
        (format!("0x1fUr\"\\\"{deep}\""), "nests deeper than 64 levels"),
        (format!("1ubR'\\'{deep}'"), "nests deeper than 64 levels"),
        (format!("2e-5r'\\'{deep}'"), "nests deeper than 64 levels"),
        (format!(".5ur'\\' '{deep}'"), "nests deeper than 64 levels"),
        (format!("a=\"{deep}\""), "at character 1: `=` is not known here; `==` compares"),
        (format!("a&'{deep}'"), "at character 1: `&` is not known here; write `&&`"),
        ("(=)".repeat(600), "at character 1: `=` is not known here"),
        (format!("//\r'\n{deep}'"), "nests deeper than 64 levels"),
    ];
    for (text, message) in table {
        let error = Filter::compile(&text).expect_err(&text).to_string();
        assert!(error.contains(message), "{text:.20}: {error}");
    }
}

/// Deep on every path that recurses, on a stack a good deal smaller than that of a delivery core.
#[test]
fn the_deepest_needs_little_stack() {
    let grown = std::thread::Builder::new().stack_size(1024 * 1024);
    #[expect(clippy::disallowed_methods, reason = "the test wants a stack of a size")]
    let thread = grown.spawn(deepest).expect("a thread");
    thread.join().expect("it does not overflow");
}

fn deepest() {
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    let mut compiled = 0;
    for times in [10, 20, 30, 31, 32, 60, 61, 62, 63, 64, 65, 500, 1_000] {
        for (open, inner, close) in [
            ("(", "true", ")"),
            ("[", "1", "]"),
            ("{'a': ", "1", "}"),
            ("!-", "true", ""),
            ("-(", "1", ")"),
            ("data.a ? ", "true", " : true"),
            ("true ? true : ", "true", ""),
            ("dyn(", "true", ")"),
            ("data[", "0", "]"),
            ("1 + ", "1", ""),
            ("[1].exists(x, ", "true", ")"),
            ("[1].map(x, ", "true", ")"),
            ("has(data.a) && (", "true", ")"),
            ("true == ", "true", ""),
            ("1 in [", "1", "]"),
        ] {
            let text = nested(open, inner, close, times);
            for text in [text.clone(), format!("data == {text}"), format!("{text} == data")] {
                if text.chars().count() <= FILTER_CHARS_MAX
                    && let Ok(filter) = Filter::compile(&text)
                {
                    compiled += 1;
                    within_bounds(&filter, &nested("[", "1", "]", 127));
                    within_bounds(&filter, &nested("{\"a\":", "1", "}", 127));
                }
            }
        }
    }
    assert!(compiled > 100, "{compiled}");
    assert_eq!(judged("data == data", &nested("[", "1", "]", 127)), Ok(true));
}

fn atom() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "true",
        "false",
        "null",
        "1",
        "0",
        "-7",
        "1.5",
        "18446744073709551615u",
        "'a'",
        "''",
        "'Käse'",
        "type",
        "subject",
        "time",
        "data",
        "data.a",
        "data.b",
        "data.c",
        "data.list",
        "data.map",
        "data.text",
        "[]",
        "{}",
        "[1, 'a', null]",
        "x",
        "y",
        "duration('1h')",
        "timestamp('2026-05-05T10:06:46Z')",
        "-9223372036854775808",
        "0.0 / 0.0",
    ])
    .prop_map(str::to_owned)
}

/// Expressions of the language, most of which make no sense.
fn expression() -> impl Strategy<Value = String> {
    atom().prop_recursive(5, 48, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        let operators = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||",
        ]);
        let members = prop::sample::select(vec!["contains", "startsWith", "endsWith"]);
        let functions = prop::sample::select(vec![
            "size",
            "int",
            "uint",
            "double",
            "string",
            "bool",
            "timestamp",
            "duration",
            "dyn",
        ]);
        let macros = prop::sample::select(vec!["all", "exists", "exists_one", "map", "filter"]);
        prop_oneof![
            (two.clone(), operators).prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            (two.clone(), members).prop_map(|((a, b), f)| format!("{a}.{f}({b})")),
            (inner.clone(), functions).prop_map(|(a, f)| format!("{f}({a})")),
            (two.clone(), macros).prop_map(|((a, b), m)| format!("{a}.{m}(x, {b})")),
            two.clone().prop_map(|(a, b)| format!("{a}[{b}]")),
            two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            two.clone().prop_map(|(a, b)| format!("{{'k': {a}, {b}: 1}}")),
            (two, inner.clone()).prop_map(|((a, b), c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("has({a}.a)")),
            inner.prop_map(|a| format!("{a}.matches('^a+(b|c)*$')")),
        ]
    })
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        (-1e3..1e3f64).prop_map(|value| value.to_string()),
        "[a-cä\\\\]{0,6}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\u00e4"))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec(("[a-c]|list|map|text", inner), 0..6).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn expressions_of_any_event_stay_within_their_bounds(expression in expression(), data in json()) {
        for text in [format!("dyn({expression}) == true"), format!("[1].exists(x, [2].exists(y, dyn({expression})))")] {
            if let Ok(filter) = Filter::compile(&text) {
                within_bounds(&filter, &data);
            }
        }
    }

    #[test]
    fn any_text_compiles_or_not(text in "([\\[\\](){}.,?:!&|<>=+*/%'\"\\\\ rbxin0-9_ ä\n`-]|type|data|time|has|exists\\(i,|true|'a'|//|\"\"\"){0,80}") {
        if let Err(error) = Filter::compile(&text) {
            prop_assert!(error.position <= text.chars().count());
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn any_characters_compile_or_not(text in "\\PC{0,200}") {
        if let Err(error) = Filter::compile(&text) {
            prop_assert!(error.position <= text.chars().count());
        }
    }
}
