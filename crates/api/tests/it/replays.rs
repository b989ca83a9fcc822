//! Replays as the operator asks for them, looks at them and says how they go on.

use std::pin::pin;
use std::task::{Context, Waker};

use http::Method;
use serde_json::{Value, json};
use signalpost_core::attempt::Verdict;
use signalpost_core::id::ReplayId;
use signalpost_store::ledger::{DueOrder, DuePage};
use signalpost_store::replays::StepReplay;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, Replays};

use crate::app::{Answer, App};

/// A workspace with a webhook of which so many deliveries have failed.
struct Scene {
    app: App,
    base: String,
    webhook: String,
}

impl Scene {
    fn new(failures: i64) -> Self {
        let app = App::new();
        let workspace = app.workspace("native");
        let base = format!("/v1/workspaces/{workspace}");
        let webhook = webhook(&app, &base);
        for number in 0..failures {
            app.publish(&workspace, &json!({"type": "order.paid", "data": number}));
        }
        let id = block_on(app.engine.workspace(&workspace)).unwrap().workspace.id;
        let lane = block_on(app.store.webhook(id, webhook.clone())).unwrap().expect("it is there").id;
        let page = DuePage { webhook: lane, limit: 1_000, order: DueOrder::OLDEST_FIRST };
        for due in block_on(app.store.due_page(page)).unwrap() {
            block_on(app.store.finish(vec![sample::finished(id, due, Verdict::GiveUp)].into())).unwrap();
        }
        app.clock.advance_ms(60_000);
        Self { app, base, webhook }
    }

    fn ask(&self, body: &Value) -> Answer {
        let path = format!("{}/webhooks/{}/replays", self.base, self.webhook);
        self.app.operator(Method::POST, &path).json(body).send()
    }

    /// Asks for everything that failed: its path.
    fn asked(&self) -> String {
        let id = self.ask(&failed()).expect(202).text_at("/id");
        format!("{}/replays/{id}", self.base)
    }

    fn look(&self, path: &str) -> Value {
        self.app.operator(Method::GET, path).send().expect(200).json()
    }

    fn post(&self, path: &str) -> Answer {
        self.app.operator(Method::POST, path).send()
    }

    /// Lets the loop of replays work until it waits.
    fn work(&self) {
        let work = pin!(self.app.engine.watch_replays());
        assert!(work.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

fn webhook(app: &App, base: &str) -> String {
    let new = json!({"url": "https://example.com/x"});
    app.operator(Method::POST, &format!("{base}/webhooks")).json(&new).send().expect(201).text_at("/id")
}

fn failed() -> Value {
    json!({"which": "failed", "since": "2026-05-05T00:00:00Z"})
}

#[test]
fn a_preview_is_looked_at_started_and_gone_through() {
    let scene = Scene::new(12);
    let made = scene.ask(&failed()).expect(202).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let expected = json!({
        "id": id, "webhook": scene.webhook, "source": scene.webhook, "which": "failed",
        "since": "2026-05-05T00:00:00.000Z", "until": "2026-05-05T10:07:46.150Z", "types": [], "subject": null,
        "rate_per_second": 50, "start": "when_told", "status": "planning", "cancelled_reason": null, "waits": null,
        "planned": 0, "sent": 0, "passed_over": 0, "sample": [],
        "created_at": "2026-05-05T10:07:46.150Z", "created_by": "operator",
        "updated_at": "2026-05-05T10:07:46.150Z", "updated_by": "operator"
    });
    assert_eq!(made, expected);
    let path = format!("{}/replays/{id}", scene.base);
    assert_eq!(scene.look(&path), expected);
    scene.app.clock.advance_ms(1_000);
    scene.work();
    let shown = scene.look(&path);
    assert_eq!(
        (&shown["status"], &shown["planned"], &shown["sent"]),
        (&json!("planned"), &json!(12), &json!(0))
    );
    assert_eq!(
        (&shown["updated_by"], &shown["updated_at"]),
        (&json!("engine"), &json!("2026-05-05T10:07:47.150Z"))
    );
    let deliveries = scene.look(&format!("{}/deliveries", scene.base))["data"].clone();
    let oldest: Vec<&Value> =
        deliveries.as_array().unwrap().iter().rev().map(|row| &row["id"]).take(10).collect();
    assert_eq!(shown["sample"], json!(oldest));
    assert!(deliveries.as_array().unwrap().iter().all(|row| row["status"] == "failed"), "nothing is sent");

    let (key_id, key) = scene.app.minted(&json!({"scopes": ["admin"]}));
    let start = scene.app.with_key(&key, Method::POST, &format!("{path}/start")).send();
    let started = start.expect(200).json();
    assert_eq!((&started["status"], &started["updated_by"]), (&json!("running"), &json!(key_id)));
    assert!(started.get("sample").is_none());
    let step = StepReplay {
        replay: ReplayId::from_public(&id).unwrap(),
        from: None,
        take: 50,
        due_max: 50,
        at: scene.app.engine.now(),
    };
    block_on(scene.app.store.step_replay(step)).unwrap();
    let done = scene.look(&path);
    assert_eq!((&done["status"], &done["sent"], &done["sample"]), (&json!("done"), &json!(12), &json!([])));
    let pending = scene.look(&format!("{}/deliveries?status=pending", scene.base));
    assert_eq!(pending["data"].as_array().unwrap().len(), 12);
}

#[test]
fn a_replay_is_told_how_it_goes_on() {
    let scene = Scene::new(1);
    let path = scene.asked();
    let status = |told: &str| {
        let answer = scene.post(&format!("{path}/{told}"));
        match answer.status.as_u16() {
            200 => answer.text_at("/status"),
            409 => answer.text_at("/detail"),
            other => panic!("{other}: {}", answer.text()),
        }
    };
    assert_eq!(status("start"), "the replay is being planned");
    scene.work();
    assert_eq!(status("pause"), "the replay has not been started");
    assert_eq!(status("resume"), "the replay has not been started");
    for (told, expected) in [
        ("start", "running"),
        ("start", "running"),
        ("pause", "paused"),
        ("pause", "paused"),
        ("start", "the replay is paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
        ("cancel", "cancelled"),
        ("resume", "the replay was cancelled"),
    ] {
        assert_eq!(status(told), expected, "{told}");
    }
    let shown = scene.look(&path);
    assert_eq!((&shown["cancelled_reason"], &shown["planned"]), (&json!("asked"), &json!(1)));
    for told in ["start", "pause", "resume", "cancel"] {
        scene.post(&format!("{}/replays/rpl_none/{told}", scene.base)).expect(404);
    }
}

#[test]
fn what_means_nothing_is_refused_with_its_place() {
    let scene = Scene::new(0);
    let with = |name: &str, value: Value| {
        let mut body = failed();
        body[name] = value;
        body
    };
    for (body, pointers) in [
        (json!({}), vec!["/which", "/since"]),
        (with("which", json!("some")), vec!["/which"]),
        (with("which", Value::Null), vec!["/which"]),
        (with("since", json!("yesterday")), vec!["/since"]),
        (with("since", json!("2036-05-05T00:00:00Z")), vec!["/since"]),
        (with("until", json!("2026-05-05T00:00:00Z")), vec!["/since"]),
        (with("until", json!(5)), vec!["/until"]),
        (with("source", json!("wh_none")), vec!["/source"]),
        (with("types", json!(["order paid"])), vec!["/types"]),
        (with("types", json!("order.paid")), vec!["/types"]),
        (with("subject", json!("")), vec!["/subject"]),
        (with("rate_per_second", json!(0)), vec!["/rate_per_second"]),
        (with("rate_per_second", json!(5_001)), vec!["/rate_per_second"]),
        (with("rate_per_second", json!(1.5)), vec!["/rate_per_second"]),
        (with("start", json!("now")), vec!["/start"]),
        (with("per_second", json!(5)), vec!["/per_second"]),
    ] {
        assert_eq!(scene.ask(&body).expect(422).pointers(), pointers, "{body}");
    }
    let list = scene.look(&format!("{}/replays", scene.base));
    assert_eq!(list, json!({"data": [], "next_cursor": null}), "nothing was made");
    for (name, value) in [
        ("until", json!("2036-05-05T00:00:00Z")),
        ("types", json!(["order.*", "a", "a"])),
        ("source", Value::Null),
        ("rate_per_second", json!(5_000)),
    ] {
        scene.ask(&with(name, value)).expect(202);
    }
}

#[test]
fn webhooks_and_replays_of_others_do_not_exist() {
    let scene = Scene::new(1);
    let other = format!("/v1/workspaces/{}", scene.app.workspace("native"));
    let (theirs, replay) = (webhook(&scene.app, &other), scene.asked());
    let ask = |base: &str, webhook: &str| {
        let path = format!("{base}/webhooks/{webhook}/replays");
        scene.app.operator(Method::POST, &path).json(&failed()).send()
    };
    for (base, webhook) in [(&scene.base, theirs.as_str()), (&other, &scene.webhook), (&other, "wh_none")] {
        ask(base, webhook).expect(404);
    }
    let mut body = failed();
    body["source"] = json!(theirs);
    assert_eq!(scene.ask(&body).expect(422).pointers(), ["/source"]);
    let id = replay.rsplit('/').next().unwrap();
    scene.app.operator(Method::GET, &format!("{other}/replays/{id}")).send().expect(404);
    scene.post(&format!("{other}/replays/{id}/cancel")).expect(404);
    assert_eq!(scene.look(&replay)["status"], "planning");
}

#[test]
fn a_call_with_a_key_makes_one_replay() {
    let scene = Scene::new(1);
    let path = format!("{}/webhooks/{}/replays", scene.base, scene.webhook);
    let ask = |rate: u32| {
        let mut body = failed();
        body["rate_per_second"] = json!(rate);
        scene.app.operator(Method::POST, &path).header("idempotency-key", "once").json(&body).send()
    };
    let first = ask(5);
    first.expect(202);
    let again = ask(5);
    assert_eq!((again.expect(202).json(), again.header("idempotency-replayed")), (first.json(), "true"));
    ask(6).expect(422);
    assert_eq!(scene.look(&format!("{}/replays", scene.base))["data"].as_array().unwrap().len(), 1);
}

#[test]
fn replays_are_listed_newest_first_and_bounded() {
    let scene = Scene::new(0);
    let paths: Vec<String> = (0..10).map(|_| scene.asked()).collect();
    assert_eq!(scene.ask(&failed()).expect(409).text_at("/code"), "limit_reached");
    let first = scene.look(&format!("{}/replays?limit=6", scene.base));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = scene.look(&format!("{}/replays?limit=6&cursor={cursor}", scene.base));
    assert_eq!(second["next_cursor"], Value::Null);
    let listed = [&first, &second].into_iter().flat_map(|page| page["data"].as_array().unwrap());
    let listed: Vec<String> =
        listed.map(|row| format!("{}/replays/{}", scene.base, row["id"].as_str().unwrap())).collect();
    assert_eq!(listed, paths.into_iter().rev().collect::<Vec<_>>());
    // It looks at the past for one of them, and rests.
    (0..10).for_each(|_| scene.work());
    let metrics = scene.app.operator_stranger(Method::GET, "/metrics").send().expect(200).text();
    assert!(metrics.contains("signalpost_replays_busy 0\n"), "all of them are planned");
    assert!(metrics.contains("signalpost_deliveries_replayed_total 0\n"));
    scene.asked();
}
