//! Why an event was sent to each webhook, or was not, as the operator is told it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::Ledger;
use signalpost_store::ledger::Retain;
use signalpost_store::testing::block_on::block_on;

use crate::app::{Answer, App, NOW_MS};

fn explain(app: &App, workspace: &str, event: &str, query: &str) -> Answer {
    app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/events/{event}/explain{query}")).send()
}

/// The one row about a webhook.
pub(crate) fn about(app: &App, workspace: &str, event: &str, webhook: &str) -> Value {
    let found = explain(app, workspace, event, &format!("?webhook={webhook}"));
    let found = found.expect(200).json();
    assert_eq!((found["data"].as_array().map(Vec::len), &found["next_cursor"]), (Some(1), &Value::Null));
    assert_eq!(found["data"][0]["webhook"], webhook);
    found["data"][0].clone()
}

/// The answers about all webhooks, oldest first.
pub(crate) fn answers(app: &App, workspace: &str, event: &str) -> Vec<String> {
    let found = explain(app, workspace, event, "").expect(200).json();
    let rows = found["data"].as_array().unwrap().iter().rev();
    rows.map(|row| row["answer"].as_str().unwrap().to_owned()).collect()
}

/// A native workspace.
struct Native {
    app: App,
    workspace: String,
}

impl Native {
    fn new() -> Self {
        let app = App::new();
        let workspace = app.workspace("native");
        Self { app, workspace }
    }

    fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.app.operator(method, &format!("/v1/workspaces/{}{path}", self.workspace)).json(body).send()
    }

    fn webhook(&self, mut body: Value) -> String {
        body["url"] = json!("https://example.com/hooks");
        self.call(Method::POST, "/webhooks", &body).expect(201).text_at("/id")
    }

    fn change(&self, webhook: &str, change: &Value) {
        self.call(Method::PATCH, &format!("/webhooks/{webhook}"), change).expect(200);
    }

    fn delete(&self, webhook: &str) {
        self.app
            .operator(Method::DELETE, &format!("/v1/workspaces/{}/webhooks/{webhook}", self.workspace))
            .send()
            .expect(204);
    }

    fn publish(&self) -> String {
        let event = json!({"type": "order.paid", "subject": "shop-1", "data": {"total": 7}});
        self.app.publish(&self.workspace, &event).text_at("/id")
    }

    fn about(&self, event: &str, webhook: &str) -> Value {
        about(&self.app, &self.workspace, event, webhook)
    }
}

#[test]
fn each_webhook_has_an_answer_of_its_own() {
    let native = Native::new();
    let matching = native.webhook(json!({"name": "billing"}));
    let wrong_type = native.webhook(json!({"events": ["order.refunded", "user.*"]}));
    let wrong_subject = native.webhook(json!({"subject": "shop-2"}));
    let off = native.webhook(json!({}));
    native.change(&off, &json!({"active": false}));
    let gone = native.webhook(json!({"name": "old"}));
    native.app.clock.advance_ms(1_000);
    native.delete(&gone);
    let event = native.publish();

    let found = explain(&native.app, &native.workspace, &event, "").expect(200).json();
    assert_eq!(
        found["event"],
        json!({"id": event, "type": "order.paid", "sequence": 1, "accepted_at": "2026-05-05T10:06:47.150Z"})
    );
    let listed = native.call(Method::GET, "/deliveries", &json!({})).json();
    let expected = json!([
        {
            "webhook": gone, "name": null, "answer": "deleted",
            "because": "The webhook had been deleted before: at 2026-05-05T10:06:47.150Z, by operator.",
            "delivery": null, "deleted": {"at": "2026-05-05T10:06:47.150Z", "by": "operator"},
            "settled_after_sequence": 0, "now": null
        },
        {
            "webhook": off, "name": null, "answer": "inactive",
            "because": "The webhook was switched off by its owner, at 2026-05-05T10:06:46.150Z.",
            "delivery": null, "deleted": null, "settled_after_sequence": 0, "now": null
        },
        {
            "webhook": wrong_subject, "name": null, "answer": "subject_differs",
            "because": "The webhook wants only what is about `shop-2`, and the event is about `shop-1`.",
            "delivery": null, "deleted": null, "settled_after_sequence": 0, "now": null
        },
        {
            "webhook": wrong_type, "name": null, "answer": "type_not_selected",
            "because": "The webhook does not select the type `order.paid`; it selects `order.refunded`, `user.*`.",
            "delivery": null, "deleted": null, "settled_after_sequence": 0, "now": null
        },
        {
            "webhook": matching, "name": "billing", "answer": "sent",
            "because": "The webhook was chosen for the event. The delivery is pending; its next attempt is due at \
                        2026-05-05T10:06:47.150Z.",
            "delivery": {"id": listed["data"][0]["id"], "status": "pending"}, "deleted": null,
            "settled_after_sequence": 0, "now": null
        }
    ]);
    assert_eq!(found["data"], expected);
    assert_eq!(found["next_cursor"], Value::Null);
    for (webhook, row) in
        [&gone, &off, &wrong_subject, &wrong_type, &matching].iter().zip(expected.as_array().unwrap())
    {
        assert_eq!(native.about(&event, webhook), *row, "alone as among others");
    }
}

/// A filter that looks at nothing of the payload can be asked for ever.
#[test]
fn a_payload_that_was_removed_is_said_where_a_filter_looked_at_it() {
    let native = Native::new();
    let [by_data, by_type] =
        ["data.total > 7", "type != 'order.paid'"].map(|filter| native.webhook(json!({"filter": filter})));
    let cheap = native.webhook(json!({"filter": "data.total > 7", "events": ["a"]}));
    let event = native.publish();
    let before = answers(&native.app, &native.workspace, &event);
    assert_eq!(before, ["filtered_out", "filtered_out", "type_not_selected"]);
    let rules = RetentionRules { payload_age_max: Some(Duration::ZERO), ..RetentionRules::default() };
    let now = Timestamp::from_ms(NOW_MS + 1_000);
    block_on(native.app.store.retain(Retain { now, rules })).unwrap();
    let after = answers(&native.app, &native.workspace, &event);
    assert_eq!(after, ["payload_removed", "filtered_out", "type_not_selected"]);
    assert!(native.about(&event, &by_data)["because"].as_str().unwrap().contains("retention"));
    native.delete(&by_type);
    native.change(&cheap, &json!({"events": ["order.*"]}));
    let now = [&by_type, &cheap].map(|webhook| native.about(&event, webhook)["now"].clone());
    assert_eq!(now, ["deleted", "payload_removed"]);
}

#[test]
fn what_changed_after_the_event_is_said() {
    let native = Native::new();
    let [narrowed, widened, paused, deleted] =
        [json!({}), json!({"events": ["a"]}), json!({}), json!({"events": ["a"]})]
            .map(|body| native.webhook(body));
    let event = native.publish();
    native.change(&narrowed, &json!({"events": ["a"]}));
    native.change(&widened, &json!({"events": ["order.*"]}));
    native.change(&paused, &json!({"active": false}));
    native.delete(&deleted);
    let later = native.webhook(json!({"events": ["a"]}));
    for (webhook, answer, now) in [
        (&narrowed, "sent", Value::Null),
        (&widened, "changed_later", json!("sent")),
        (&paused, "sent", Value::Null),
        (&deleted, "changed_later", json!("deleted")),
        (&later, "created_later", json!("type_not_selected")),
    ] {
        let row = native.about(&event, webhook);
        assert_eq!((&row["answer"], &row["now"]), (&json!(answer), &now), "{row}");
    }
    assert_eq!(native.about(&event, &paused)["delivery"]["status"], "dropped");
    let said = native.about(&event, &widened);
    assert!(
        said["because"].as_str().unwrap().ends_with("As it is now, it would get such an event."),
        "{said}"
    );

    // What changes nothing that decides leaves the answer certain.
    let next = native.publish();
    native.change(&narrowed, &json!({"name": "n", "events": ["a"], "headers": {"x-a": "b"}}));
    let row = native.about(&next, &narrowed);
    assert_eq!((&row["answer"], &row["settled_after_sequence"]), (&json!("type_not_selected"), &json!(1)));
    let answers = answers(&native.app, &native.workspace, &next);
    assert_eq!(answers, ["type_not_selected", "sent", "inactive", "deleted", "type_not_selected"]);
}

#[test]
fn a_delivery_dropped_by_a_deletion_says_who_deleted_the_webhook() {
    let native = Native::new();
    let webhook = native.webhook(json!({}));
    let event = native.publish();
    let (id, key) = native.app.minted(&json!({"scopes": ["admin"]}));
    native.app.clock.advance_ms(500);
    let path = format!("/v1/workspaces/{}/webhooks/{webhook}", native.workspace);
    native.app.with_key(&key, Method::DELETE, &path).send().expect(204);
    let row = native.about(&event, &webhook);
    let at = "2026-05-05T10:06:46.650Z";
    assert_eq!(row["deleted"], json!({"at": at, "by": id}));
    assert_eq!((&row["answer"], &row["delivery"]["status"]), (&json!("sent"), &json!("dropped")));
    let sentence = format!(
        "The webhook was chosen for the event. The delivery was dropped, because the webhook was deleted: at {at}, by {id}."
    );
    assert_eq!(row["because"], sentence);
}

#[test]
fn a_test_is_meant_for_one_webhook() {
    let native = Native::new();
    let [tested, other, elsewhere] =
        [json!({}), json!({}), json!({"events": ["a"]})].map(|body| native.webhook(body));
    let sent = native.call(Method::POST, &format!("/webhooks/{tested}/test"), &json!({}));
    let event = sent.expect(202).text_at("/id");
    assert_eq!(
        answers(&native.app, &native.workspace, &event),
        ["sent", "meant_for_another", "type_not_selected"]
    );
    assert_eq!(native.about(&event, &other)["now"], Value::Null);
    assert_eq!(native.about(&event, &elsewhere)["delivery"], Value::Null);
}

#[test]
fn pages_show_every_webhook_once() {
    let native = Native::new();
    let mut webhooks: Vec<String> = (0..7)
        .map(|n| native.webhook(json!({"events": [if n % 2 == 0 { "order.*" } else { "a" }]})))
        .collect();
    native.delete(&webhooks[3]);
    native.delete(&webhooks[4]);
    let event = native.publish();
    webhooks.reverse();
    let whole = explain(&native.app, &native.workspace, &event, "").expect(200).json()["data"].clone();
    assert_eq!(whole.as_array().unwrap().len(), 7);
    for limit in [1, 2, 3, 7] {
        let (mut rows, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = explain(&native.app, &native.workspace, &event, &query).expect(200).json();
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= limit && !data.is_empty());
            rows.extend(data.iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit={limit}&cursor={cursor}");
        }
        assert_eq!(json!(rows), whole, "by {limit}");
        assert!(rows.iter().map(|row| row["webhook"].as_str().unwrap()).eq(webhooks.iter()), "newest first");
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let native = Native::new();
    let webhook = native.webhook(json!({}));
    let event = native.publish();
    let other = native.app.workspace("native");
    let foreign = native.app.publish(&other, &json!({"type": "a", "data": 1})).text_at("/id");
    let sentence = |workspace: &str, event: &str, query: &str| {
        explain(&native.app, workspace, event, query).expect(404).text_at("/detail")
    };
    assert_eq!(sentence(&native.workspace, &foreign, ""), "no such event");
    assert_eq!(sentence(&native.workspace, "evt_none", ""), "no such event");
    assert_eq!(sentence(&other, &event, ""), "no such event");
    assert_eq!(sentence(&other, &foreign, &format!("?webhook={webhook}")), "no such webhook");
    assert_eq!(sentence(&native.workspace, &event, "?webhook="), "no such webhook");
    assert_eq!(sentence("ws_0000000000000000", &event, ""), "no such workspace");
    let own = explain(&native.app, &other, &foreign, "").expect(200).json();
    assert_eq!(
        (&own["data"], &own["next_cursor"]),
        (&json!([]), &Value::Null),
        "a workspace without webhooks"
    );
    let mut wrong =
        explain(&native.app, &native.workspace, &event, "?limit=0&cursor=x&type=a").expect(422).pointers();
    wrong.sort();
    assert_eq!(wrong, ["/cursor", "/limit", "/type"]);
    native.app.operator(Method::DELETE, &format!("/v1/workspaces/{}", native.workspace)).send().expect(204);
    assert_eq!(sentence(&native.workspace, &event, ""), "no such workspace");
}

/// The newest of the events that a producer's id names.
#[test]
fn an_event_is_found_by_its_producers_id() {
    let native = Native::new();
    native.webhook(json!({"events": ["a"]}));
    let event = json!({"type": "order.paid", "id": "order-1", "data": 1});
    native.app.publish(&native.workspace, &event);
    let found = explain(&native.app, &native.workspace, "order-1", "").expect(200).json();
    assert_eq!(
        (&found["event"]["id"], &found["data"][0]["answer"]),
        (&json!("order-1"), &json!("type_not_selected"))
    );
}

/// Five webhooks and five answers, and a filter that cannot decide as a sixth.
#[test]
fn what_a_filter_made_of_an_event_is_told() {
    let native = Native::new();
    let matching = native.webhook(json!({"filter": "data.total == 7 && subject == 'shop-1'"}));
    let wrong_type = native.webhook(json!({"events": ["order.refunded"], "filter": "true"}));
    let filtered = native.webhook(json!({"filter": "data.total > 7"}));
    let failed = native.webhook(json!({"filter": "data.sum > 7"}));
    let off = native.webhook(json!({"filter": "data.total > 7"}));
    native.change(&off, &json!({"active": false}));
    let gone = native.webhook(json!({"filter": "true"}));
    native.delete(&gone);
    let event = native.publish();
    for (webhook, answer) in [
        (&matching, "sent"),
        (&wrong_type, "type_not_selected"),
        (&filtered, "filtered_out"),
        (&failed, "filter_failed"),
        (&off, "inactive"),
        (&gone, "deleted"),
    ] {
        assert_eq!(native.about(&event, webhook)["answer"], answer);
    }
    let because = native.about(&event, &failed)["because"].to_string();
    assert!(because.contains("there is no member `sum`"), "{because}");

    native.change(&filtered, &json!({"filter": "data.total < 8"}));
    let changed = native.about(&event, &filtered);
    assert_eq!((changed["answer"].as_str(), changed["now"].as_str()), (Some("changed_later"), Some("sent")));
    let test =
        native.call(Method::POST, &format!("/webhooks/{failed}/test"), &json!({})).expect(202).text_at("/id");
    assert_eq!(native.about(&test, &failed)["answer"], "sent", "a test passes the filter by");
}
