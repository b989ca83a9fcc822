//! Pauses by the engine, as the operator sees and ends them.

use http::Method;
use serde_json::{Value, json};
use signalpost_core::attempt::Verdict;
use signalpost_core::health::{Health, Hold};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{Backlog, DueOrder, DuePage, Finished, HealthChange};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};

use crate::app::{App, NOW_MS};

/// A webhook that is paused with one delivery: the paths of its workspace and of it.
fn paused(app: &App) -> (String, String) {
    let workspace = app.workspace("native");
    let base = format!("/v1/workspaces/{workspace}");
    let made = app
        .operator(Method::POST, &format!("{base}/webhooks"))
        .json(&json!({"url": "https://example.com/x"}));
    let id = made.send().expect(201).text_at("/id");
    app.publish(&workspace, &json!({"type": "a", "data": 1}));
    let workspace = block_on(app.engine.workspace(&workspace)).unwrap().workspace.id;
    let webhook = block_on(app.store.webhook(workspace, id.clone())).unwrap().expect("it is there").id;
    let page = DuePage { webhook, limit: 1, order: DueOrder::OLDEST_FIRST };
    let due = block_on(app.store.due_page(page)).unwrap()[0];
    let at = |s: i64| Timestamp::from_ms(NOW_MS + s * 1_000);
    let hold = Some(Hold { since: at(60), probes: 2, probe_at: at(300) });
    let health = Health { consecutive_failures: 60, failing_since: Some(at(0)), hold };
    let health = Some(HealthChange { health, disable: None, backlog: Backlog::Kept });
    let probe = sample::finished(workspace, due, Verdict::HeldUntil(at(300)));
    block_on(app.store.finish(vec![Finished { health, ..probe }].into())).unwrap();
    (base.clone(), format!("{base}/webhooks/{id}"))
}

fn deliveries(app: &App, base: &str) -> Value {
    app.operator(Method::GET, &format!("{base}/deliveries")).send().expect(200).json()["data"].clone()
}

#[test]
fn a_pause_is_shown_and_ended() {
    let app = App::new();
    let (base, webhook) = paused(&app);
    let shown = app.operator(Method::GET, &webhook).send().expect(200).json();
    let expected = json!({
        "state": "paused", "failing_since": "2026-05-05T10:06:46.150Z", "paused_since": "2026-05-05T10:07:46.150Z",
        "failed_probes": 2, "next_probe_at": "2026-05-05T10:11:46.150Z"
    });
    assert_eq!((&shown["health"], &shown["consecutive_failures"]), (&expected, &json!(60)));
    let held = deliveries(&app, &base)[0].clone();
    assert_eq!(
        (&held["status"], &held["next_attempt_at"]),
        (&json!("pending"), &json!("2026-05-05T10:11:46.150Z"))
    );
    let explained =
        app.operator(Method::GET, &format!("{base}/events/{}/explain", held["event"].as_str().unwrap()));
    let because = explained.send().expect(200).json()["data"][0]["because"].to_string();
    assert!(because.contains("is paused since 2026-05-05T10:07:46.150Z"), "{because}");

    let release = |body: &Value| app.operator(Method::POST, &format!("{webhook}/release")).json(body).send();
    for (wrong, pointer) in [(json!({"order": "random"}), "/order"), (json!({"ordre": "skip"}), "/ordre")] {
        assert_eq!(release(&wrong).expect(422).pointers(), [pointer]);
    }
    assert_eq!(app.operator(Method::GET, &webhook).send().json()["health"], expected, "nothing has changed");
    let released = release(&json!({"order": "skip"})).expect(200).json();
    assert_eq!(
        (&released["health"]["state"], &released["consecutive_failures"]),
        (&json!("normal"), &json!(0))
    );
    let dropped = deliveries(&app, &base)[0].clone();
    assert_eq!((&dropped["status"], &dropped["dropped_reason"]), (&json!("dropped"), &json!("skipped")));
    assert_eq!(release(&json!({})).expect(409).json()["code"], "conflict");
    app.operator(Method::POST, &format!("{base}/webhooks/wh_none/release")).send().expect(404);
}

#[test]
fn a_workspace_says_when_its_webhooks_are_paused() {
    let app = App::new();
    let path = format!("/v1/workspaces/{}", app.workspace("native"));
    let patch = |policy: Value| app.operator(Method::PATCH, &path).json(&json!({ "policy": policy })).send();
    let rules = |policy: Value| {
        let policy = patch(policy).expect(200).json()["policy"].clone();
        json!([policy["pause_after_failing_s"], policy["release_order"]])
    };
    assert_eq!(rules(json!({"pause_after_failing_s": 60})), json!([60, "oldest_first"]));
    assert_eq!(rules(json!({"release_order": "newest_first"})), json!([60, "newest_first"]), "merged");
    assert_eq!(rules(json!({"pause_after_failing_s": 0, "release_order": "skip"})), json!([0, "skip"]));
    assert_eq!(
        rules(json!({"pause_after_failing_s": null, "release_order": null})),
        json!([1_800, "oldest_first"])
    );
    let wrong = patch(json!({"pause_after_failing_s": 59, "release_order": "both"}));
    assert_eq!(wrong.expect(422).pointers(), ["/policy/pause_after_failing_s", "/policy/release_order"]);
    let path = format!("/v1/workspaces/{}", app.workspace("opentrain"));
    let shown = app.operator(Method::GET, &path).send().expect(200).json()["policy"].clone();
    assert_eq!(shown["pause_after_failing_s"], 0, "its contract knows of no pause");
}
