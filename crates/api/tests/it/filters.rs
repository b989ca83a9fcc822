//! Filters of native webhooks: set, shown, changed, refused, and what they do to events.

use http::Method;
use serde_json::{Value, json};

use crate::app::App;

struct Filtered {
    app: App,
    workspace: String,
    webhooks: String,
}

impl Filtered {
    fn new() -> Self {
        let app = App::new();
        let workspace = app.workspace("native");
        let webhooks = format!("/v1/workspaces/{workspace}/webhooks");
        Self { app, workspace, webhooks }
    }

    /// The path of a new webhook with this filter.
    fn make(&self, filter: &Value) -> String {
        let body = json!({"url": "https://x.y", "filter": filter});
        let made = self.app.operator(Method::POST, &self.webhooks).json(&body).send();
        assert_eq!(made.expect(201).json()["filter"], *filter);
        format!("{}/{}", self.webhooks, made.text_at("/id"))
    }

    fn change(&self, webhook: &str, body: &Value) -> Value {
        self.app.operator(Method::PATCH, webhook).json(body).send().expect(200).json()
    }

    /// Deliveries of an event with this data.
    fn deliveries(&self, data: &Value) -> u64 {
        let answer = self.app.publish(&self.workspace, &json!({"type": "order.paid", "data": data}));
        answer.expect(202).json()["deliveries"].as_u64().expect("a number")
    }

    fn counted(&self, name: &str) -> u64 {
        let text = self.app.operator_stranger(Method::GET, "/metrics").send().text();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("signalpost_{name} ")));
        line.expect("it is counted").parse().expect("a number")
    }
}

#[test]
fn only_events_that_a_filter_admits_are_delivered() {
    let it = Filtered::new();
    it.make(&json!(null));
    it.make(&json!("data.amount > 100"));
    it.make(&json!("type.startsWith('refund.')"));
    it.make(&json!("data.customer.vip"));
    for (data, deliveries) in [
        (json!({"amount": 101}), 2),
        (json!({"amount": 100}), 1),
        (json!({"amount": "101"}), 1),
        (json!({"amount": 5, "customer": {"vip": true}}), 2),
        (json!([]), 1),
    ] {
        assert_eq!(it.deliveries(&data), deliveries, "{data}");
    }
    assert_eq!(it.counted("deliveries_created_total"), 7);
    assert_eq!(it.counted("filtered_out_total"), 7, "of types five, of amounts two");
    assert_eq!(it.counted("filter_failures_total"), 6, "of amounts two, of customers four");
}

#[test]
fn each_event_of_a_batch_is_judged_by_itself() {
    let it = Filtered::new();
    it.make(&json!("data.n % 2 == 0"));
    let events: Vec<Value> = (0..10).map(|n| json!({"type": "a", "data": {"n": n}})).collect();
    let path = format!("/v1/workspaces/{}/events/batch", it.workspace);
    it.app.operator(Method::POST, &path).json(&json!(events)).send().expect(202);
    let list = it.app.operator(Method::GET, &format!("/v1/workspaces/{}/deliveries", it.workspace)).send();
    assert_eq!(list.expect(200).json()["data"].as_array().expect("a list").len(), 5);
    assert_eq!(it.counted("filtered_out_total"), 5);
}

/// What was turned away is counted once for an event, not for each time that somebody tells us of it.
#[test]
fn an_event_that_is_told_twice_is_counted_once() {
    let it = Filtered::new();
    it.make(&json!("data == 1"));
    for _ in 0..2 {
        it.app.publish(&it.workspace, &json!({"type": "a", "id": "1", "data": 2})).expect(202);
    }
    assert_eq!(it.counted("filtered_out_total"), 1);
}

#[test]
fn a_filter_is_changed_and_taken_away() {
    let it = Filtered::new();
    let webhook = it.make(&json!("data == 1"));
    assert_eq!(it.deliveries(&json!(2)), 0);
    assert_eq!(it.change(&webhook, &json!({"filter": "data == 2"}))["filter"], "data == 2");
    assert_eq!(it.deliveries(&json!(2)), 1);
    assert_eq!(it.change(&webhook, &json!({"name": "n"}))["filter"], "data == 2", "it is left alone");
    assert_eq!(it.deliveries(&json!(1)), 0);
    assert_eq!(it.change(&webhook, &json!({"filter": null}))["filter"], Value::Null);
    assert_eq!(it.deliveries(&json!(1)), 1);
    assert_eq!(it.app.operator(Method::GET, &webhook).send().json()["filter"], Value::Null);
}

#[test]
fn a_mistake_is_refused_with_its_place() {
    let it = Filtered::new();
    let webhook = it.make(&json!("true"));
    for (filter, detail) in [
        (json!("data.amount >"), "at character 13: mismatched input the end; an operand is missing"),
        (
            json!("type == 'ü' && amount > 1"),
            "at character 15: the variable `amount` is not known; there are type",
        ),
        (json!(""), "at character 0: a filter must not be empty"),
        (json!(format!("'{}' == type", "x".repeat(2_048))), "at most 2048 characters"),
        (json!(format!("{}true{}", "(".repeat(1_000), ")".repeat(1_000))), "nests deeper than 64 levels"),
        (json!("type == 'a\0'"), "at character 10: the NUL character"),
        (json!("((true)"), "missing ')' at the end"),
        (json!("data.amount + 1"), "a filter must yield a bool; this yields a number"),
        (json!(7), "a string"),
    ] {
        let made = it
            .app
            .operator(Method::POST, &it.webhooks)
            .json(&json!({"url": "https://x.y", "filter": filter}));
        let changed = it.app.operator(Method::PATCH, &webhook).json(&json!({"filter": filter}));
        for refused in [made.send(), changed.send()] {
            assert_eq!(refused.expect(422).pointers(), ["/filter"], "{filter}");
            assert!(refused.text_at("/errors/0/detail").contains(detail), "{}", refused.text());
        }
    }
    assert_eq!(it.app.operator(Method::GET, &webhook).send().json()["filter"], "true");
}

#[test]
fn a_test_passes_the_filter_by() {
    let it = Filtered::new();
    let webhook = it.make(&json!("false"));
    assert_eq!(it.deliveries(&json!(1)), 0);
    let test = it.app.operator(Method::POST, &format!("{webhook}/test")).send();
    test.expect(202);
    let list = it.app.operator(Method::GET, &format!("/v1/workspaces/{}/deliveries", it.workspace)).send();
    assert_eq!(list.json()["data"][0]["id"], test.text_at("/delivery"));
}
