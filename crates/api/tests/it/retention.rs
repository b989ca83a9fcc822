//! Retention as the operator sets it and sees it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use signalpost_core::retention::{RetentionDefault, RetentionRules};
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_store::ledger::Retain;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::{Catalog, Ledger};

use crate::app::{App, NOW_MS};

const DAYS_30_S: u64 = 2_592_000;

fn policy(app: &App, path: &str, policy: &Value) -> Value {
    let answer = app.operator(Method::PATCH, path).json(&json!({ "policy": policy })).send();
    let policy = answer.expect(200).json()["policy"].clone();
    json!([policy["event_retention_s"], policy["payload_retention_s"], policy["retention_bytes"]])
}

/// A walk by these rules so long after the beginning.
fn retain(app: &App, after_s: i64, rules: RetentionRules) {
    let now = Timestamp::from_ms(NOW_MS + after_s * 1_000);
    block_on(app.store.retain(Retain { now, rules })).unwrap();
}

#[test]
fn a_workspace_has_rules_of_its_own() {
    let app = App::new();
    let body = json!({"dialect": "native", "name": "Acme", "policy": {"event_retention_s": 1}});
    let made = app.operator(Method::POST, "/v1/workspaces").json(&body).send();
    assert_eq!(made.expect(201).json()["policy"]["event_retention_s"], 1);
    let path = format!("/v1/workspaces/{}", made.text_at("/id"));
    let own = json!({"payload_retention_s": 60, "retention_bytes": 1 << 20});
    assert_eq!(policy(&app, &path, &own), json!([1, 60, 1 << 20]), "merged");
    let less = json!({"event_retention_s": null, "retention_bytes": null});
    assert_eq!(policy(&app, &path, &less), json!([DAYS_30_S, 60, null]), "null is the server's rule");
    assert_eq!(policy(&app, &path, &Value::Null), json!([DAYS_30_S, DAYS_30_S, null]));
    let wrong = json!({"event_retention_s": 0, "payload_retention_s": -1, "retention_bytes": 1_000});
    let answer = app.operator(Method::PATCH, &path).json(&json!({ "policy": wrong })).send();
    let pointers = ["/policy/payload_retention_s", "/policy/event_retention_s", "/policy/retention_bytes"];
    let mut found = answer.expect(422).pointers();
    found.sort();
    let mut expected = pointers.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
}

/// What is in force where the dialect keeps everything, and how a limit is set and taken back.
#[test]
fn a_workspace_that_keeps_everything_may_set_a_limit() {
    let app = App::new();
    let keeper =
        Workspace { retention: RetentionDefault::ForEver, ..signalpost_store::testing::sample::workspace(7) };
    block_on(app.store.create_workspace(keeper)).unwrap();
    let path = "/v1/workspaces/ws-7";
    let shown = app.operator(Method::GET, path).send().expect(200).json();
    assert_eq!(shown["policy"]["event_retention_s"], Value::Null);
    assert_eq!(policy(&app, path, &json!({"event_retention_s": 60})), json!([60, null, null]));
    assert_eq!(policy(&app, path, &json!({"event_retention_s": null})), json!([null, null, null]));
}

#[test]
fn two_changes_of_a_policy_do_not_lose_one_another() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}", app.workspace("native"));
    // Both know the workspace as it was before either.
    app.operator(Method::GET, &path).send().expect(200);
    policy(&app, &path, &json!({"event_retention_s": 7}));
    assert_eq!(policy(&app, &path, &json!({"retention_bytes": 1 << 20})), json!([7, DAYS_30_S, 1 << 20]));
}

#[test]
fn usage_is_shown_with_the_workspace() {
    let app = App::new();
    let id = app.workspace("native");
    let path = format!("/v1/workspaces/{id}");
    let usage = || app.operator(Method::GET, &path).send().expect(200).json()["usage"].clone();
    assert_eq!(usage(), json!({"events": 0, "bytes": 0}));
    app.publish(&id, &json!({"type": "a", "data": "x".repeat(1_000)}));
    assert_eq!(usage()["events"], 1);
    assert!(usage()["bytes"].as_u64().unwrap() > 1_000, "{}", usage());
    let list = app.operator(Method::GET, "/v1/workspaces").send().json();
    assert_eq!(list["data"][0].get("usage"), None);
}

#[test]
fn a_removed_payload_is_null_and_says_since_when() {
    let app = App::new();
    let id = app.workspace("native");
    let event = app.publish(&id, &json!({"type": "a", "data": {"n": 1}})).text_at("/id");
    let path = format!("/v1/workspaces/{id}/events/{event}");
    let shown = app.operator(Method::GET, &path).send().expect(200).json();
    assert_eq!((&shown["data"], &shown["payload_removed_at"]), (&json!({"n": 1}), &json!(null)));
    let payloads = RetentionRules {
        event_age_max: None,
        payload_age_max: Some(Duration::from_secs(60)),
        bytes_max: None,
    };
    retain(&app, 60, payloads);
    let shown = app.operator(Method::GET, &path).send().expect(200).json();
    assert_eq!(
        (&shown["data"], &shown["payload_removed_at"]),
        (&json!(null), &json!("2026-05-05T10:07:46.150Z"))
    );
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{id}/events")).send().expect(200).json();
    assert_eq!(list["data"][0], shown);
    retain(&app, DAYS_30_S.try_into().unwrap(), RetentionRules::default());
    app.operator(Method::GET, &path).send().expect(404);
}

#[test]
fn what_has_no_payload_is_not_sent_again() {
    let app = App::new();
    let id = app.workspace("native");
    let webhooks = format!("/v1/workspaces/{id}/webhooks");
    let hook =
        app.operator(Method::POST, &webhooks).json(&json!({"url": "https://x.y"})).send().text_at("/id");
    app.publish(&id, &json!({"type": "a", "data": 1}));
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{id}/deliveries")).send();
    let delivery = list.expect(200).text_at("/data/0/id");
    let hook = format!("{webhooks}/{hook}");
    for active in [false, true] {
        app.operator(Method::PATCH, &hook).json(&json!({ "active": active })).send().expect(200);
    }
    retain(
        &app,
        60,
        RetentionRules {
            event_age_max: None,
            payload_age_max: Some(Duration::from_secs(1)),
            bytes_max: None,
        },
    );
    let redeliver = app.operator(Method::POST, &format!("/v1/deliveries/{delivery}/redeliver")).send();
    assert_eq!(redeliver.expect(409).text_at("/code"), "conflict");
    assert!(redeliver.text_at("/detail").contains("payload"), "{}", redeliver.text());
    let shown = app.operator(Method::GET, &format!("/v1/deliveries/{delivery}")).send().expect(200).json();
    assert_eq!(shown["status"], "dropped", "its history stays");
}

#[test]
fn storage_is_shown_with_the_rules_that_bound_it() {
    let app = App::new();
    let id = app.workspace("native");
    app.publish(&id, &json!({"type": "a", "data": 1}));
    let keyed = app.operator(Method::POST, &format!("/v1/workspaces/{id}/webhooks"));
    keyed.header("idempotency-key", "a").json(&json!({"url": "https://x.y"})).send().expect(201);
    let storage = app.operator(Method::GET, "/v1/storage").send().expect(200).json();
    assert!(storage["idempotency_bytes"].as_u64() > Some(256), "{storage}");
    assert_eq!((&storage["events"], &storage["full"]), (&json!(1), &json!(false)));
    assert_eq!(storage["oldest_event_at"], "2026-05-05T10:06:46.150Z");
    let rules = json!({"event_retention_s": DAYS_30_S, "payload_retention_s": DAYS_30_S, "retention_bytes": 53_687_091_200_u64});
    assert_eq!(storage["retention"], rules);
    for name in ["database_bytes", "free_bytes", "wal_bytes", "idempotency_bytes", "idempotency_forgotten"] {
        assert!(storage[name].is_u64(), "{name}: {storage}");
    }
    assert_eq!((&storage["disk_free_bytes"], &storage["disk_total_bytes"]), (&json!(null), &json!(null)));
    app.operator_stranger(Method::GET, "/v1/storage").send().expect(401);
}
