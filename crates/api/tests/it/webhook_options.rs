//! What a native webhook may have beside a URL and events: patterns, headers, patience of its own, and tests.

use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App};

fn webhooks(app: &App) -> String {
    format!("/v1/workspaces/{}/webhooks", app.workspace("native"))
}

fn make(app: &App, path: &str, body: Value) -> String {
    let made = app.operator(Method::POST, path).json(&body).send();
    format!("{path}/{}", made.expect(201).text_at("/id"))
}

fn patch(app: &App, webhook: &str, body: Value) -> Answer {
    app.operator(Method::PATCH, webhook).json(&body).send()
}

#[test]
fn patterns_choose_targets_once() {
    let app = App::new();
    let path = webhooks(&app);
    let workspace = path.split('/').nth(3).unwrap().to_owned();
    make(&app, &path, json!({"url": "https://x.y/1", "events": ["order.*", "order.paid"]}));
    make(&app, &path, json!({"url": "https://x.y/2", "events": ["order.item.*"]}));
    let table =
        [("order.paid", 1), ("order.item.added", 2), ("order", 0), ("orders.paid", 0), ("my.order.paid", 0)];
    for (event_type, deliveries) in table {
        let answer = app.publish(&workspace, &json!({"type": event_type, "data": 1}));
        assert_eq!(answer.json()["deliveries"], deliveries, "{event_type}");
    }
}

#[test]
fn a_closed_catalogue_takes_no_patterns() {
    let app = App::new();
    let key = app.key(&app.workspace("sigmamind"));
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["conversation.*"]});
    app.public(Method::POST, "/v1/webhooks").key(&key).json(&body).send().expect(400);
}

#[test]
fn patience_of_its_own_falls_back_to_the_workspaces() {
    let app = App::new();
    let path = webhooks(&app);
    let workspace = path.strip_suffix("/webhooks").unwrap();
    let policy = json!({"policy": {"retry_schedule_s": [7], "timeout_ms": 2_000}});
    app.operator(Method::PATCH, workspace).json(&policy).send().expect(200);
    let own = json!({"url": "https://x.y", "retry_schedule_s": [], "timeout_ms": 500});
    let one = make(&app, &path, own);
    let shown = app.operator(Method::GET, &one).send().json();
    assert_eq!((&shown["retry_schedule_s"], &shown["timeout_ms"]), (&json!([]), &json!(500)));
    assert_eq!(shown["in_force"], json!({"retry_schedule_s": [], "timeout_ms": 500}));
    let changed = patch(&app, &one, json!({"retry_schedule_s": null})).json();
    assert_eq!(changed["retry_schedule_s"], Value::Null);
    assert_eq!(changed["in_force"], json!({"retry_schedule_s": [7], "timeout_ms": 500}));
    let refused = patch(&app, &one, json!({"retry_schedule_s": [86_401], "timeout_ms": 99}));
    assert_eq!(refused.expect(422).pointers(), ["/retry_schedule_s", "/timeout_ms"]);
}

#[test]
fn ceilings_are_set_shown_changed_and_taken_away() {
    let app = App::new();
    let path = webhooks(&app);
    let one = make(&app, &path, json!({"url": "https://x.y", "max_in_flight": 4, "rate_per_second": 5}));
    let ceilings = |shown: Value| [shown["max_in_flight"].clone(), shown["rate_per_second"].clone()];
    let shown = app.operator(Method::GET, &one).send().json();
    assert_eq!(ceilings(shown), [json!(4), json!(5)]);
    let changed = patch(&app, &one, json!({"max_in_flight": null, "rate_per_second": 10_000}));
    assert_eq!(ceilings(changed.expect(200).json()), [Value::Null, json!(10_000)]);
    for (wrong, many) in [
        (json!(0), json!(0)),
        (json!(257), json!(10_001)),
        (json!(u64::MAX), json!(1.5)),
        (json!("4"), json!([5])),
    ] {
        let refused = patch(&app, &one, json!({"max_in_flight": wrong, "rate_per_second": many}));
        assert_eq!(refused.expect(422).pointers(), ["/max_in_flight", "/rate_per_second"]);
    }
    let shown = app.operator(Method::GET, &one).send().json();
    assert_eq!(ceilings(shown), [Value::Null, json!(10_000)], "nothing was changed");
}

#[test]
fn order_is_set_shown_changed_and_taken_away() {
    let app = App::new();
    let path = webhooks(&app);
    let one = make(&app, &path, json!({"url": "https://x.y", "ordered": true, "on_exhausted": "block"}));
    let order = |shown: Value| [shown["ordered"].clone(), shown["on_exhausted"].clone()];
    assert_eq!(order(app.operator(Method::GET, &one).send().json()), [json!(true), json!("block")]);
    let table = [
        (json!({"on_exhausted": "skip"}), [json!(true), json!("skip")]),
        (json!({"ordered": false, "on_exhausted": "block"}), [json!(false), json!("block")]),
        (json!({"ordered": true, "on_exhausted": null}), [json!(true), json!("skip")]),
        (json!({"ordered": null}), [json!(false), json!("skip")]),
    ];
    for (change, expected) in table {
        assert_eq!(order(patch(&app, &one, change).expect(200).json()), expected);
    }
    let refused = patch(&app, &one, json!({"ordered": "yes", "on_exhausted": "stop"}));
    assert_eq!(refused.expect(422).pointers(), ["/ordered", "/on_exhausted"]);
}

/// The same id with another key is another event, and one is named by its place in a batch.
#[test]
fn a_key_is_a_part_of_what_was_published() {
    let app = App::new();
    let path = webhooks(&app).replace("/webhooks", "/events");
    let event = |key: Value| json!({"type": "a", "data": 1, "id": "x", "ordering_key": key});
    let publish = |body: &Value| app.operator(Method::POST, &path).json(body).send();
    publish(&event(json!("k"))).expect(202);
    publish(&event(json!("k"))).expect(202);
    publish(&event(json!("l"))).expect(409);
    publish(&event(Value::Null)).expect(409);
    let batch = app.operator(Method::POST, &format!("{path}/batch"));
    let many = json!([event(json!("k")), event(json!("x".repeat(129)))]);
    assert_eq!(batch.json(&many).send().expect(422).pointers(), ["/1/ordering_key"]);
}

#[test]
fn headers_are_merged_masked_and_never_shown() {
    let app = App::new();
    let path = webhooks(&app);
    let body = json!({"url": "https://x.y", "headers": {"X-Api-Key": "canary-1", "authorization": "Bearer canary-2"}});
    let made = app.operator(Method::POST, &path).json(&body).send();
    assert_eq!(made.expect(201).json()["headers"], json!({"authorization": "***", "x-api-key": "***"}));
    let one = format!("{path}/{}", made.text_at("/id"));
    let changed = patch(&app, &one, json!({"headers": {"x-api-key": null, "X-B": "canary-3"}}));
    assert_eq!(changed.expect(200).json()["headers"], json!({"authorization": "***", "x-b": "***"}));
    let untouched = patch(&app, &one, json!({"name": "n"}));
    assert_eq!(untouched.expect(200).json()["headers"], json!({"authorization": "***", "x-b": "***"}));
    let list = app.operator(Method::GET, &path).send();
    for answer in [&made, &changed, &untouched, &list] {
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
    let cleared = patch(&app, &one, json!({"headers": null}));
    assert_eq!(cleared.expect(200).json()["headers"], json!({}));
}

#[test]
fn headers_that_are_not_the_owners_are_refused_by_name() {
    let app = App::new();
    let path = webhooks(&app);
    let one = make(&app, &path, json!({"url": "https://x.y"}));
    let reserved = [
        "host",
        "Content-Length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "expect",
        "content-type",
        "user-agent",
        "webhook-signature",
        "Webhook-Anything",
        "accept-encoding",
        "a b",
        "a~1b",
    ];
    for name in reserved {
        for (method, path) in [(Method::POST, &path), (Method::PATCH, &one)] {
            let body = json!({"url": "https://x.y", "headers": {name: "v"}});
            let answer = app.operator(method, path).json(&body).send();
            let fine = name == "a~1b";
            match fine {
                true => assert!(answer.status.is_success(), "{}", answer.text()),
                false => assert_eq!(
                    answer.expect(422).pointers(),
                    [format!("/headers/{name}")].map(lower),
                    "{name}"
                ),
            }
        }
    }
    let refused = |headers: Value, pointers: &[&str]| {
        let answer = patch(&app, &one, json!({"headers": headers}));
        assert_eq!(answer.expect(422).pointers(), pointers, "{headers}");
    };
    refused(json!({"x-a": "1", "X-A": "2"}), &["/headers/X-A"]);
    refused(json!({"x-a": "1", "x_a": "2"}), &["/headers/x_a"]);
    refused(json!({"x-a": 1, "x-b": "a\r\nhost: evil", "x-c": ""}), &["/headers/x-a"]);
    refused(json!({"x-b": "a\r\nhost: evil", "x-c": ""}), &["/headers/x-b", "/headers/x-c"]);
    refused(json!("x-a: 1"), &["/headers"]);
    let many: serde_json::Map<String, Value> = (0..17).map(|n| (format!("x-{n}"), json!("v"))).collect();
    refused(json!(many), &["/headers"]);
    let large: serde_json::Map<String, Value> =
        (0..5).map(|n| (format!("x-{n}"), json!("v".repeat(1_000)))).collect();
    refused(json!(large), &["/headers"]);
}

/// Names are kept in lower case, and shown so.
fn lower(pointer: String) -> String {
    pointer.to_lowercase()
}

#[test]
fn a_test_goes_to_its_webhook_alone() {
    let app = App::new();
    let path = webhooks(&app);
    let workspace = path.strip_suffix("/webhooks").unwrap();
    let body = json!({"url": "https://x.y/1", "events": ["other"], "subject": "shop-1"});
    let one = make(&app, &path, body);
    make(&app, &path, json!({"url": "https://x.y/2"}));
    let test = format!("{one}/test");
    let plain = app.operator(Method::POST, &test).send();
    let (id, delivery) = (plain.expect(202).text_at("/id"), plain.text_at("/delivery"));
    assert_eq!(plain.json()["sequence"], 1);
    let event = app.operator(Method::GET, &format!("{workspace}/events/{id}")).send();
    let event = event.expect(200).json();
    assert_eq!(
        (&event["type"], &event["subject"], &event["deliveries"]),
        (&json!("webhook.test"), &json!("shop-1"), &json!(1))
    );
    assert!(event["data"].is_object());
    let shown = app.operator(Method::GET, &format!("/v1/deliveries/{delivery}")).send();
    assert_eq!(shown.expect(200).text_at("/webhook"), one.rsplit('/').next().unwrap());
    let own = app.operator(Method::POST, &test).json(&json!({"type": "order.paid", "data": [1.0]})).send();
    let id = own.expect(202).text_at("/id");
    let event = app.operator(Method::GET, &format!("{workspace}/events/{id}")).send();
    assert!(
        event.text().contains("\"data\":[1.0]") && event.text().contains("order.paid"),
        "{}",
        event.text()
    );

    for (body, pointer) in [(json!({"type": "a b"}), "/type"), (json!({"url": "x"}), "/url")] {
        let answer = app.operator(Method::POST, &test).json(&body).send();
        assert_eq!(answer.expect(422).pointers(), [pointer]);
    }
    app.operator(Method::POST, &test).body("{}").send().expect(415);
    app.operator(Method::POST, &test).raw("text/plain", "").send().expect(415);
    app.operator(Method::POST, &test).raw("application/json", "").send().expect(202);
    patch(&app, &one, json!({"active": false})).expect(200);
    app.operator(Method::POST, &test).send().expect(409);
    app.operator(Method::POST, &format!("{path}/wh_unknown/test")).send().expect(404);
}
