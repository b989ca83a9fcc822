//! Held against the interpreter of the crate whose parser reads our filters: where both can decide, they agree.
//!
//! Left out is where we differ on purpose: numbers of several kinds in one sum, and integers beyond 64 bits with a sign.

use std::collections::HashMap;
use std::sync::Arc;

use cel::{Context, Env, Value};
use proptest::prelude::*;
use signalpost_filter::{Filter, Subject};

use crate::subject::event;

const DATA: &str = r#"{"a": 1, "b": 2, "t": "abc", "f": 1.5, "yes": true, "none": null, "list": [1, 2, 3], "map": {"k": 1, "l": "x"}}"#;

fn data() -> Value {
    let of = |entries: Vec<(&str, Value)>| {
        let entries: HashMap<String, Value> =
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Value::from(entries)
    };
    let list: Vec<Value> = [1i64, 2, 3].map(Value::from).to_vec();
    of(vec![
        ("a", Value::from(1i64)),
        ("b", Value::from(2i64)),
        ("t", Value::from("abc")),
        ("f", Value::from(1.5)),
        ("yes", Value::from(true)),
        ("none", Value::Null),
        ("list", Value::from(list)),
        ("map", of(vec![("k", Value::from(1i64)), ("l", Value::from("x"))])),
    ])
}

fn theirs(env: &Arc<Env>, text: &str) -> Option<bool> {
    let program = env.compile(text).ok()?;
    let mut context = Context::with_env(Arc::clone(env));
    context.add_variable_from_value("data", data());
    context.add_variable_from_value("type", "order.paid".to_owned());
    match program.execute(&context) {
        Ok(Value::Bool(decided)) => Some(decided),
        _ => None,
    }
}

fn ours(text: &str) -> Option<bool> {
    let content = event(DATA);
    Filter::compile(text).ok()?.admits(&Subject::of(&content)).ok()
}

fn int() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec![
        "0",
        "1",
        "-2",
        "7",
        "data.a",
        "data.b",
        "data.list[1]",
        "data.map.k",
        "size(data.t)",
        "data.list.size()",
        "data.missing",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(3, 12, 2, |inner| {
            (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
                .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
        })
        .boxed()
}

fn text() -> BoxedStrategy<String> {
    let leaf = prop::sample::select(vec![
        "'a'",
        "''",
        "'abc'",
        "'order.paid'",
        "type",
        "data.t",
        "data.map.l",
        "data.map['l']",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(2, 6, 2, |inner| (inner.clone(), inner).prop_map(|(a, b)| format!("({a} + {b})")))
        .boxed()
}

fn list() -> BoxedStrategy<String> {
    prop_oneof![
        Just("data.list".to_owned()),
        Just("[]".to_owned()),
        prop::collection::vec(int(), 1..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
        (int(), "[xy]").prop_map(|(body, name)| format!("data.list.map({name}, {name} + {body})")),
        int().prop_map(|bound| format!("data.list.filter(i, i > {bound})")),
    ]
    .boxed()
}

fn truth() -> BoxedStrategy<String> {
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        Just("data.yes".to_owned()),
        Just("data.none == null".to_owned()),
        Just("has(data.t)".to_owned()),
        Just("has(data.missing)".to_owned()),
        (int(), order.clone(), int()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (int(), order.clone()).prop_map(|(a, op)| format!("({a} {op} data.f)")),
        (text(), order, text()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        (text(), prop::sample::select(vec!["contains", "startsWith", "endsWith"]), text())
            .prop_map(|(a, f, b)| format!("{a}.{f}({b})")),
        (int(), list()).prop_map(|(a, b)| format!("({a} in {b})")),
        (list(), list()).prop_map(|(a, b)| format!("({a} == {b})")),
        (text(), Just("data.map")).prop_map(|(a, b)| format!("({a} in {b})")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let three = (inner.clone(), inner.clone(), inner.clone());
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| format!("({a} && {b})")),
            two.prop_map(|(a, b)| format!("({a} || {b})")),
            three.prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("(!{a})")),
            (list(), prop::sample::select(vec!["all", "exists", "exists_one"]), int(), inner)
                .prop_map(|(over, each, bound, body)| format!("{over}.{each}(e, e < {bound} || {body})")),
        ]
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn both_decide_alike(text in truth()) {
        let env = Arc::new(Env::stdlib());
        if let (Some(theirs), Some(ours)) = (theirs(&env, &text), ours(&text)) {
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}

/// That the property above has something to compare.
#[test]
fn both_decide_at_all() {
    let env = Arc::new(Env::stdlib());
    for (text, decided) in
        [("data.a + 1 == data.b && type.contains('paid')", true), ("data.list.exists(e, e > 3)", false)]
    {
        assert_eq!((theirs(&env, text), ours(text)), (Some(decided), Some(decided)), "{text}");
    }
}
