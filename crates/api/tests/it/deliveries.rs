//! Deliveries as the operator sees them.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use signalpost_core::attempt::{Attempt, Failure, Outcome, Timing, Verdict};
use signalpost_core::id::DeliveryId;
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::time::Timestamp;
use signalpost_store::Ledger;
use signalpost_store::ledger::{DueOrder, DuePage, Finished};
use signalpost_store::testing::block_on::block_on;

use crate::app::{App, NOW_MS};

struct Scene {
    app: App,
    workspace: String,
    webhook: String,
    event: String,
    delivery: String,
}

impl Scene {
    /// A native workspace with one webhook that is owed one event.
    fn new() -> Self {
        let app = App::new();
        let workspace = app.workspace("native");
        let path = format!("/v1/workspaces/{workspace}/webhooks");
        let webhook =
            app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send().text_at("/id");
        let receipt = app.publish(&workspace, &json!({"type": "a", "data": {}}));
        assert_eq!(receipt.json()["deliveries"], 1);
        let listed = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/deliveries")).send();
        let delivery = listed.expect(200).text_at("/data/0/id");
        Self { app, workspace, webhook, event: receipt.text_at("/id"), delivery }
    }

    /// Records an attempt as a delivery core would.
    fn record(&self, number: u32, outcome: Outcome, verdict: Verdict) {
        let id = DeliveryId::from_public(&self.delivery).unwrap();
        let due = block_on(self.app.store.due_page(DuePage {
            webhook: id.webhook,
            limit: 1,
            order: DueOrder::OLDEST_FIRST,
        }))
        .unwrap()[0];
        let workspace = block_on(self.app.engine.workspace(&self.workspace)).unwrap().workspace.id;
        let answer = if outcome.status().is_some() { Bytes::from_static(b"no\xff") } else { Bytes::new() };
        let attempt = Attempt {
            number,
            at: Timestamp::from_ms(NOW_MS),
            outcome,
            verdict,
            detail: if outcome.status().is_some() { String::new() } else { "it hung".to_owned() },
            timing: Timing {
                dns_us: 1,
                connect_us: 1_500,
                tls_us: 0,
                first_byte_us: 2_000_000,
                total_us: 2_001_501,
            },
            request_headers: vec![("webhook-id".to_owned(), "x".to_owned())],
            answer,
        };
        let finished =
            Finished { workspace, due, attempt, health: None, concurrency: None, epoch: GroupEpoch::ONLY };
        block_on(self.app.store.finish(vec![finished].into())).unwrap();
    }

    fn list(&self, query: &str) -> serde_json::Value {
        let path = format!("/v1/workspaces/{}/deliveries{query}", self.workspace);
        self.app.operator(Method::GET, &path).send().expect(200).json()
    }
}

#[test]
fn a_delivery_is_shown_with_everything_that_happened() {
    let scene = Scene::new();
    let retry_at = Timestamp::from_ms(NOW_MS + 5_000);
    scene.record(1, Outcome::Failed(Failure::Timeout), Verdict::RetryAt(retry_at));
    scene.record(2, Outcome::Status(500), Verdict::GiveUp);
    let path = format!("/v1/deliveries/{}", scene.delivery);
    let redelivered = scene.app.operator(Method::POST, &format!("{path}/redeliver")).send();
    assert_eq!(redelivered.expect(202).json(), json!({"id": scene.delivery, "status": "pending"}));
    let shown = scene.app.operator(Method::GET, &path).send().expect(200).json();
    let at = "2026-05-05T10:06:46.150Z";
    let timing = json!({"dns": 0.001, "connect": 1.5, "tls": 0.0, "first_byte": 2000.0, "total": 2001.501});
    let expected = json!({
        "id": scene.delivery, "workspace": scene.workspace, "event": scene.event, "event_type": "a",
        "webhook": scene.webhook, "status": "pending", "created_at": at, "next_attempt_at": at, "ended_at": null,
        "dropped_reason": null, "attempt_count": 2, "last_outcome": "status",
        "attempts": [
            {"number": 1, "at": at, "outcome": "timeout", "http_status": null, "error": "timeout", "message": "it hung",
             "next_attempt_at": "2026-05-05T10:06:51.150Z", "timing_ms": timing,
             "request_headers": {"webhook-id": "x"}, "response_body": ""},
            {"number": 2, "at": at, "outcome": "status", "http_status": 500, "error": "status", "message": null,
             "next_attempt_at": null, "timing_ms": timing,
             "request_headers": {"webhook-id": "x"}, "response_body": "no\u{fffd}"},
            {"number": 3, "at": at, "outcome": "requeued"}
        ]
    });
    assert_eq!(shown, expected);
    scene.app.operator(Method::POST, &format!("{path}/redeliver")).send().expect(409);
    scene.record(4, Outcome::Status(204), Verdict::Delivered);
    let done = scene.app.operator(Method::GET, &path).send().json();
    assert_eq!(
        (&done["status"], &done["ended_at"], &done["last_outcome"]),
        (&json!("delivered"), &json!(at), &json!("success"))
    );
    assert_eq!(done["attempts"][3]["error"], json!(null));
}

#[test]
fn deliveries_are_filtered_and_paged() {
    let scene = Scene::new();
    scene.app.publish(&scene.workspace, &json!({"type": "b", "id": "second", "data": {}}));
    let ids = |query: &str| scene.list(query)["data"].as_array().unwrap().len();
    assert_eq!(ids(""), 2);
    assert_eq!(ids(&format!("?webhook={}", scene.webhook)), 2);
    assert_eq!(scene.list("?event=second")["data"][0]["event_type"], "b");
    assert_eq!(ids(&format!("?event={}&status=pending", scene.event)), 1);
    assert_eq!(ids("?status=delivered"), 0);
    let first = scene.list("?limit=1");
    assert_eq!(first["data"][0]["event"], "second", "newest first");
    let second = scene.list(&format!("?limit=1&cursor={}", first["next_cursor"].as_str().unwrap()));
    assert_eq!(second["data"][0]["id"], json!(scene.delivery));
    for (query, pointer) in
        [("status=lost", "/status"), ("webhook=wh_0", "/webhook"), ("event=nope", "/event")]
    {
        let path = format!("/v1/workspaces/{}/deliveries?{query}", scene.workspace);
        assert_eq!(scene.app.operator(Method::GET, &path).send().expect(422).pointers(), [pointer]);
    }
}

#[test]
fn what_a_disabled_webhook_was_owed_says_why_it_did_not_go_out() {
    let scene = Scene::new();
    let one = format!("/v1/workspaces/{}/webhooks/{}", scene.workspace, scene.webhook);
    scene.app.operator(Method::PATCH, &one).json(&json!({"active": false})).send().expect(200);
    let dropped = &scene.list("?status=dropped")["data"][0];
    assert_eq!(
        (&dropped["status"], &dropped["dropped_reason"]),
        (&json!("dropped"), &json!("webhook_disabled"))
    );
}

#[test]
fn unknown_deliveries_are_not_found() {
    let app = App::new();
    for id in ["dlv_0000000000000000000000", "nonsense", "dlv_"] {
        app.operator(Method::GET, &format!("/v1/deliveries/{id}")).send().expect(404);
        app.operator(Method::POST, &format!("/v1/deliveries/{id}/redeliver")).send().expect(404);
    }
}
