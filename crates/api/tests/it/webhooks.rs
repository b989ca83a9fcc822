//! Native webhooks through the operator side.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::built_in_dialects;

use crate::app::App;

#[test]
fn a_webhook_is_made_read_changed_and_deleted() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let body =
        json!({"url": "https://example.com/x", "events": ["a", "b", "a"], "subject": "s", "name": "Mine"});
    let made = app.operator(Method::POST, &path).json(&body).send();
    let (id, secret) = (made.expect(201).text_at("/id"), made.text_at("/secret"));
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    assert_eq!(made.header("cache-control"), "no-store");
    let mut expected = json!({
        "id": id, "url": "https://example.com/x", "events": ["a", "b"], "subject": "s", "filter": null, "name": "Mine",
        "previous_secrets": [], "headers": {}, "basic_auth": null, "metadata": {}, "signing_key": null,
        "retry_schedule_s": null, "timeout_ms": null, "max_in_flight": null, "rate_per_second": null, "concurrency": null,
        "ordered": false, "on_exhausted": "skip",
        "in_force": {
            "retry_schedule_s": [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400], "timeout_ms": 15_000
        },
        "status": "active", "disabled_at": null, "disabled_reason": null, "consecutive_failures": 0,
        "health": {
            "state": "normal", "failing_since": null, "paused_since": null, "failed_probes": null, "next_probe_at": null
        },
        "created_at": "2026-05-05T10:06:46.150Z", "updated_at": "2026-05-05T10:06:46.150Z"
    });
    let one = format!("{path}/{id}");
    assert_eq!(app.operator(Method::GET, &one).send().expect(200).json(), expected, "without its secret");

    app.clock.advance_ms(1_000);
    let change = json!({"active": false, "subject": null, "events": ["*"], "url": "http://example.org", "name": "New"});
    let changed = app.operator(Method::PATCH, &one).json(&change).send();
    let at = json!("2026-05-05T10:06:47.150Z");
    let new: [(&str, Value); 8] = [
        ("url", json!("http://example.org")),
        ("events", json!(["*"])),
        ("subject", json!(null)),
        ("name", json!("New")),
        ("status", json!("disabled")),
        ("disabled_at", at.clone()),
        ("disabled_reason", json!("by_owner")),
        ("updated_at", at),
    ];
    new.into_iter().for_each(|(field, value)| expected[field] = value);
    assert_eq!(changed.expect(200).json(), expected);
    let active = app.operator(Method::PATCH, &one).json(&json!({"active": true})).send();
    assert_eq!(active.expect(200).json()["status"], "active");

    app.operator(Method::DELETE, &one).send().expect(204);
    for method in [Method::GET, Method::DELETE] {
        app.operator(method, &one).send().expect(404);
    }
    app.operator(Method::PATCH, &one).json(&json!({})).send().expect(404);
}

#[test]
fn a_webhook_that_is_made_inactive_gets_nothing_until_it_is_switched_on() {
    let app = App::new();
    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    let made = app
        .operator(Method::POST, &path)
        .json(&json!({"url": "https://example.com", "active": false}))
        .send();
    assert_eq!(made.expect(201).json()["status"], "disabled");
    assert_eq!(made.json()["disabled_reason"], "by_owner");
    let deliveries =
        || app.publish(&workspace, &json!({"type": "a", "data": 1})).json()["deliveries"].clone();
    assert_eq!(deliveries(), 0);
    let one = format!("{path}/{}", made.text_at("/id"));
    app.operator(Method::PATCH, &one).json(&json!({"active": true})).send().expect(200);
    assert_eq!(deliveries(), 1);
    let refused =
        app.operator(Method::POST, &path).json(&json!({"url": "https://example.com", "active": "no"})).send();
    assert_eq!(refused.expect(422).pointers(), ["/active"]);
}

#[test]
fn webhooks_are_refused_with_every_reason_at_once() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let refused = |body: Value, pointers: &[&str]| {
        let answer = app.operator(Method::POST, &path).json(&body).send();
        assert_eq!(answer.expect(422).pointers(), pointers, "{body}");
    };
    refused(json!({}), &["/url"]);
    refused(
        json!({"url": "ftp://x", "events": [], "name": 1, "status": "x"}),
        &["/url", "/events", "/name", "/status"],
    );
    refused(json!({"url": "https://x.y", "events": ["a", "b c", "*"]}), &["/events/1", "/events/2"]);
    refused(json!({"url": "https://x.y", "events": ["a.*", "a*", "*.b"]}), &["/events/1", "/events/2"]);
    refused(json!({"url": "https://x.y", "events": "a"}), &["/events"]);
    refused(json!({"url": "https://x.y", "events": vec!["a"; 257]}), &["/events"]);
    refused(json!({"url": "https://x.y", "subject": "", "name": ""}), &["/name", "/subject"]);
    for (url, fine) in urls() {
        let status = if fine { 201 } else { 422 };
        app.operator(Method::POST, &path).json(&json!({"url": url})).send().expect(status);
    }
    let made = app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send();
    let one = format!("{path}/{}", made.text_at("/id"));
    let answer = app
        .operator(Method::PATCH, &one)
        .json(&json!({"url": null, "events": null, "active": "no", "secret": ""}));
    assert_eq!(answer.send().expect(422).pointers(), ["/url", "/active", "/events", "/secret"]);
    let cleared = app.operator(Method::PATCH, &one).json(&json!({"name": null, "subject": null})).send();
    assert_eq!(cleared.expect(200).json()["name"], Value::Null, "null takes a name away");
}

/// URLs and whether they are taken. Numeric tricks are: what they mean is judged when a connection is made.
pub(crate) fn urls() -> Vec<(String, bool)> {
    let good = [
        "http://0x7f.1/",
        "http://2130706433/",
        "https://bücher.example/",
        "http://[::1]:8080/x",
        "https://h?q",
    ];
    let bad = [
        "https://",
        "https:///x",
        "https://user:pass@example.com/",
        "https://u@h",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//example.com",
        "example.com",
        "https://a b",
        "https://h:0/",
        "https://h:99999/",
    ];
    let long = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    let listed =
        good.map(|url| (url.to_owned(), true)).into_iter().chain(bad.map(|url| (url.to_owned(), false)));
    listed.chain([(long(2_048), true), (long(2_049), false)]).collect()
}

#[test]
fn webhooks_of_other_dialects_are_shown_and_not_changed() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let key = app.key(&workspace);
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["conversation_ended"]});
    let made = app.public(Method::POST, "/v1/webhooks").key(&key).json(&body).send();
    let (id, secret) = (made.expect(201).text_at("/webhookId"), made.text_at("/secret"));
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    let list = app.operator(Method::GET, &path).send();
    assert_eq!(list.expect(200).json()["data"][0]["id"], json!(id));
    assert!(!list.text().contains(&secret));
    let one = format!("{path}/{id}");
    assert_eq!(app.operator(Method::GET, &one).send().expect(200).text_at("/subject"), "a");
    let create = app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send();
    assert!(create.expect(409).text_at("/detail").contains("`sigmamind`"));
    app.operator(Method::PATCH, &one).json(&json!({"active": false})).send().expect(409);
    app.operator(Method::DELETE, &one).send().expect(409);
    app.operator(Method::GET, &one).send().expect(200);
}

#[test]
fn webhooks_are_listed_in_pages_newest_first() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let mut made: Vec<String> = (0..5)
        .map(|n| {
            app.operator(Method::POST, &path)
                .json(&json!({"url": format!("https://x.y/{n}")}))
                .send()
                .text_at("/id")
        })
        .collect();
    made.reverse();
    let (mut listed, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = app.operator(Method::GET, &format!("{path}{query}")).send().expect(200).json();
        listed.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, made);
}

#[test]
fn a_workspace_has_no_more_webhooks_than_its_dialect_permits() {
    let mut dialects = built_in_dialects();
    dialects.iter_mut().for_each(|dialect| dialect.profile.webhooks_max = Some(2));
    let app = App::with_dialects(dialects);
    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    let create = || app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send();
    let first = format!("{path}/{}", create().text_at("/id"));
    create().expect(201);
    app.operator(Method::PATCH, &first).json(&json!({"active": false})).send().expect(200);
    let refused = create();
    assert_eq!(refused.expect(409).json()["code"], "limit_reached", "one that is off counts");
    assert_eq!(refused.json()["detail"], "there may be no more than 2 webhooks, and there are as many");
    app.operator(Method::DELETE, &first).send().expect(204);
    create().expect(201);
}
