//! Idempotency keys: the same call gets the first answer, and has had its effect once.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use signalpost_api::built_in_dialects;
use signalpost_store::Named;
use signalpost_store::testing::faulty::{Fault, FaultyStore, Lasting, fail_nth_of};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::{Answer, App, Call};

const DAY_MS: i64 = 24 * 3_600 * 1_000;

fn post<'a>(app: &'a App, path: &str, key: &str) -> Call<'a> {
    app.operator(Method::POST, path).header("idempotency-key", key)
}

/// Rows of a list.
fn count(app: &App, path: &str) -> usize {
    app.operator(Method::GET, path).send().expect(200).json()["data"].as_array().unwrap().len()
}

#[track_caller]
fn assert_replayed(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.body), (again.status, &again.body), "{}", again.text());
    for header in ["content-type", "location", "cache-control"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
}

/// A native workspace with a webhook that was sent one event in vain, and the delivery's id.
fn failed_delivery(app: &App) -> (String, String) {
    use signalpost_core::attempt::Verdict;
    use signalpost_core::id::DeliveryId;
    use signalpost_store::Ledger;
    use signalpost_store::ledger::{DueOrder, DuePage};
    use signalpost_store::testing::block_on::block_on;
    use signalpost_store::testing::sample;

    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send().expect(201);
    app.publish(&workspace, &json!({"type": "a", "data": 1}));
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/deliveries")).send();
    let delivery = list.text_at("/data/0/id");
    let id = DeliveryId::from_public(&delivery).unwrap();
    let due = block_on(app.store.due_page(DuePage {
        webhook: id.webhook,
        limit: 1,
        order: DueOrder::OLDEST_FIRST,
    }))
    .unwrap()[0];
    let owner = block_on(app.store.owner_of(Named::Delivery(id))).unwrap().unwrap();
    let failed = sample::finished(owner, due, Verdict::GiveUp);
    block_on(app.store.finish(vec![failed].into())).unwrap();
    (workspace, delivery)
}

#[test]
fn every_call_that_makes_something_makes_it_once() {
    let app = App::new();
    let (workspace, delivery) = failed_delivery(&app);
    let customers = app.workspace("sigmamind");
    let (key, _) = app.minted(&json!({"scopes": ["read"]}));
    let native = format!("/v1/workspaces/{workspace}");
    let credentials = format!("/v1/workspaces/{customers}/credentials");
    let table: [(String, Value, String); 7] = [
        ("/v1/workspaces".into(), json!({"dialect": "native", "name": "A"}), "/v1/workspaces".into()),
        (credentials.clone(), json!({"name": "production"}), credentials),
        (format!("{native}/webhooks"), json!({"url": "https://a.b"}), format!("{native}/webhooks")),
        (format!("{native}/events"), json!({"type": "a", "data": 1}), format!("{native}/events")),
        (format!("{native}/events/batch"), json!([{"type": "a", "data": 1}]), format!("{native}/events")),
        ("/v1/keys".into(), json!({"scopes": ["read"]}), "/v1/keys".into()),
        (format!("/v1/keys/{key}/rotate"), json!({"overlap_s": 0}), "/v1/keys".into()),
    ];
    for (path, body, list) in table {
        let before = count(&app, &list);
        let first = post(&app, &path, "k").json(&body).send();
        assert!(first.status.is_success(), "{path}: {}", first.text());
        app.clock.advance_ms(1_000);
        assert_replayed(&first, &post(&app, &path, "\"k\"").json(&body).send());
        assert_eq!(count(&app, &list), before + 1, "{path}");
        let next = post(&app, &path, "another").json(&body).send();
        assert_ne!(next.body, first.body, "{path}: another key is another call");
    }
    let path = format!("/v1/deliveries/{delivery}/redeliver");
    let first = post(&app, &path, "k").send();
    first.expect(202);
    assert_replayed(&first, &post(&app, &path, "k").send());
    assert_eq!(post(&app, &path, "other").send().status, 409, "it is pending already");
}

#[test]
fn a_key_is_not_used_for_anything_else() {
    let app = App::new();
    let (one, other) = (app.workspace("native"), app.workspace("native"));
    let events = |workspace: &str| format!("/v1/workspaces/{workspace}/events");
    let event = json!({"type": "a", "data": 1});
    let first = post(&app, &events(&one), "k").json(&event).send();
    first.expect(202);
    let reused = |answer: Answer| {
        assert_eq!(answer.expect(422).text_at("/code"), "idempotency_key_reused");
        assert!(answer.header("idempotency-replayed").is_empty());
    };
    reused(post(&app, &events(&one), "k").json(&json!({"type": "a", "data": 2})).send());
    reused(post(&app, &events(&one), "k").raw("application/json", r#"{"type":"a","data": 1}"#).send());
    let same =
        post(&app, &events(&one), "k").raw("Application/JSON; charset=utf-8", event.to_string()).send();
    assert_replayed(&first, &same);

    // Another workspace, another operation: the same key means something else.
    let elsewhere = post(&app, &events(&other), "k").json(&event).send();
    assert_eq!(elsewhere.expect(202).header("idempotency-replayed"), "");
    let batch = |workspace: &str| format!("{}/batch", events(workspace));
    let lines = post(&app, &batch(&one), "k").raw("application/x-ndjson", event.to_string()).send();
    assert_eq!(lines.expect(202).header("idempotency-replayed"), "");
    reused(post(&app, &batch(&one), "k").json(&json!([event])).send());
    assert_eq!((count(&app, &events(&one)), count(&app, &events(&other))), (2, 1));

    let keys = [(); 2].map(|()| app.minted(&json!({"scopes": ["read"]})).0);
    let rotate = |id: &str| post(&app, &format!("/v1/keys/{id}/rotate"), "k").json(&json!({})).send();
    rotate(&keys[0]).expect(201);
    reused(rotate(&keys[1]));
    reused(post(&app, &format!("/v1/keys/{}/rotate", keys[0]), "k").json(&json!({"overlap_s": 1})).send());
}

#[test]
fn malformed_keys_are_refused_before_anything_happens() {
    let app = App::new();
    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/events");
    let body = json!({"type": "a", "data": 1});
    let huge = "k".repeat(60_000);
    for bad in ["", "\"\"", "\"k", "\"k\"x", "a b", "a\tb", &"k".repeat(256), &huge, "\"a\\b\""] {
        let answer = post(&app, &path, bad).json(&body).send();
        assert_eq!(answer.expect(422).pointers(), ["/idempotency-key"], "{bad:?}");
    }
    let twice = post(&app, &path, "k").header("idempotency-key", "k").json(&body).send();
    assert_eq!(twice.expect(422).pointers(), ["/idempotency-key"]);
    let latin =
        app.operator(Method::POST, &path).bytes_header("idempotency-key", b"k\xff").json(&body).send();
    assert_eq!(latin.expect(422).pointers(), ["/idempotency-key"]);
    assert_eq!(count(&app, &path), 0);
    post(&app, &path, &"k".repeat(255)).json(&body).send().expect(202);
    // What happens once by its nature takes no notice.
    app.operator(Method::GET, &path).header("idempotency-key", "a b").send().expect(200);
}

#[test]
fn refusals_are_not_kept() {
    let app = App::new();
    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/webhooks");
    post(&app, &path, "k").json(&json!({"url": "nonsense"})).send().expect(422);
    let created = post(&app, &path, "k").json(&json!({"url": "https://a.b"})).send();
    assert_eq!(created.expect(201).header("idempotency-replayed"), "");
    let events = format!("/v1/workspaces/{workspace}/events");
    let event = |data: u8| json!({"type": "a", "id": "p", "data": data});
    app.publish(&workspace, &event(1));
    post(&app, &events, "e").json(&event(2)).send().expect(409);
    let known = post(&app, &events, "e").json(&event(1)).send();
    assert_eq!(known.expect(202).header("idempotency-replayed"), "", "known by its id, new as a call");
    assert_replayed(&known, &post(&app, &events, "e").json(&event(1)).send());
    assert_eq!(count(&app, &events), 1);
}

#[test]
fn the_first_answer_stands_whatever_has_changed_since() {
    let app = App::new();
    let workspace = app.workspace("native");
    let webhooks = format!("/v1/workspaces/{workspace}/webhooks");
    let create = || post(&app, &webhooks, "k").json(&json!({"url": "https://a.b"})).send();
    let first = create();
    let events = format!("/v1/workspaces/{workspace}/events");
    let publish = || post(&app, &events, "k").json(&json!({"type": "a", "data": 1})).send();
    let published = publish();
    assert_eq!(published.expect(202).json()["deliveries"], 1);
    let path = format!("{webhooks}/{}", first.expect(201).text_at("/id"));
    app.operator(Method::DELETE, &path).send().expect(204);
    assert_replayed(&first, &create());
    assert_replayed(&published, &publish());
    let soon = json!({"scopes": ["read"], "expires_at": "2026-05-05T10:06:47.000Z"});
    let minted = post(&app, "/v1/keys", "k").json(&soon).send();
    app.clock.advance_ms(60_000);
    assert_replayed(&minted, &post(&app, "/v1/keys", "k").json(&soon).send());
    app.operator(Method::POST, "/v1/keys").json(&soon).send().expect(422);
}

#[test]
fn a_key_is_kept_for_a_day() {
    let app = App::new();
    let workspace = app.workspace("native");
    let path = format!("/v1/workspaces/{workspace}/events");
    let publish = |data: u8| post(&app, &path, "k").json(&json!({"type": "a", "data": data})).send();
    let first = publish(1);
    app.clock.advance_ms(DAY_MS);
    assert_replayed(&first, &publish(1));
    publish(2).expect(422);
    app.clock.advance_ms(1);
    assert_eq!(publish(2).expect(202).header("idempotency-replayed"), "");
    publish(1).expect(422);
    app.clock.advance_ms(-3_600_000);
    publish(1).expect(422);
}

#[test]
fn a_lost_answer_is_found_by_asking_again() {
    for (verb, path, body) in [
        ("accept_once", "events", json!({"type": "a", "data": 1})),
        ("do_once", "webhooks", json!({"url": "https://a.b"})),
    ] {
        let model = MemoryStore::new();
        let plan = fail_nth_of(verb, 1, Lasting::Transient, Fault::After);
        let store = Arc::new(FaultyStore::new(model.clone(), plan));
        let app = App::over(model, store, built_in_dialects());
        let workspace = app.workspace("native");
        let path = format!("/v1/workspaces/{workspace}/{path}");
        let call = || post(&app, &path, "k").json(&body).send();
        call().expect(503);
        let found = call();
        assert_eq!(found.header("idempotency-replayed"), "true", "{}", found.text());
        assert!(found.status.is_success());
        assert_eq!(count(&app, &path), 1);
        assert_eq!(call().body, found.body);
    }
}

#[test]
fn keys_of_tenants_do_not_meet() {
    let app = App::new();
    let workspaces = [(); 2].map(|()| app.workspace("native"));
    let admins = workspaces.each_ref().map(|id| app.minted(&json!({"scopes": ["admin"], "workspace": id})).1);
    let mint = |place: usize| {
        let body = json!({"scopes": ["read"], "workspace": workspaces[place]});
        let call = app.with_key(&admins[place], Method::POST, "/v1/keys").header("idempotency-key", "k");
        call.json(&body).send()
    };
    let minted = [mint(0), mint(1)];
    for answer in &minted {
        answer.expect(201);
    }
    assert_ne!(minted[0].text_at("/secret"), minted[1].text_at("/secret"));
    assert_replayed(&minted[1], &mint(1));
    let (_, reader) = app.minted(&json!({"scopes": ["read"], "workspace": workspaces[0]}));
    let body = json!({"scopes": ["read"], "workspace": workspaces[0]});
    let stolen = app.with_key(&reader, Method::POST, "/v1/keys").header("idempotency-key", "k");
    stolen.json(&body).send().expect(403);
}
