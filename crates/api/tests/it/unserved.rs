//! Workspaces whose dialect is not served any more: they are kept, and can be looked at, changed and erased.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use serde_json::json;
use signalpost_api::built_in_dialects;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::App;
use crate::core::{running, settle};

#[test]
fn a_workspace_without_its_dialect_can_be_changed_and_erased() {
    let model = MemoryStore::new();
    let open = |dialects| App::over(model.reopen(), Arc::new(model.reopen()), dialects);
    let all = open(built_in_dialects());
    let workspace = all.workspace("sigmamind");
    let credentials = format!("/v1/workspaces/{workspace}/credentials");
    let credential = all.operator(Method::POST, &credentials).json(&json!({})).send().text_at("/id");

    let mut native = built_in_dialects();
    native.retain(|dialect| dialect.name == "native");
    let app = open(native);
    let one = format!("/v1/workspaces/{workspace}");
    let event = json!({"type": "conversation_ended", "subject": "a", "data": 1});
    app.operator(Method::POST, &format!("{one}/events")).json(&event).send().expect(503);
    assert_eq!(app.operator(Method::GET, &one).send().expect(200).text_at("/name"), "Acme");
    let renamed = app.operator(Method::PATCH, &one).json(&json!({"name": "Left", "policy": null})).send();
    assert_eq!(renamed.expect(200).text_at("/name"), "Left");
    app.operator(Method::PATCH, &one).json(&json!({"features": []})).send().expect(503);
    app.operator(Method::PATCH, &one).json(&json!({"name": ""})).send().expect(422);
    assert_eq!(app.operator(Method::GET, &credentials).send().expect(200).text_at("/data/0/id"), credential);
    app.operator(Method::DELETE, &format!("{credentials}/{credential}")).send().expect(204);
    app.operator(Method::DELETE, &format!("{credentials}/{credential}")).send().expect(404);
    app.operator(Method::DELETE, &one).send().expect(204);
    for method in [Method::GET, Method::DELETE] {
        app.operator(method, &one).send().expect(404);
    }
}

#[test]
fn what_is_owed_without_a_dialect_is_looked_at_now_and_then() {
    let model = MemoryStore::new();
    let all = App::over(model.reopen(), Arc::new(model.reopen()), built_in_dialects());
    let workspace = all.workspace("sigmamind");
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["conversation_ended"]});
    all.public(Method::POST, "/v1/webhooks").key(&all.key(&workspace)).json(&body).send().expect(201);
    all.publish(&workspace, &json!({"type": "conversation_ended", "subject": "a", "data": 1}));

    let loads = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&loads);
    let count = move |call: Call| {
        counted.fetch_add(u64::from(call.verb == "lane"), Ordering::SeqCst);
        Fault::Pass
    };
    let store = Arc::new(FaultyStore::new(model.reopen(), Box::new(count)));
    let mut native = built_in_dialects();
    native.retain(|dialect| dialect.name == "native");
    let app = App::over(model.reopen(), store, native);
    let (receiver, mut core) = running(&app);
    assert_eq!(loads.load(Ordering::SeqCst), 1, "it was found and looked at");
    for _ in 0..120 {
        app.clock.advance_ms(1_000);
        settle(&app, &mut core);
    }
    let loads_in_two_minutes = loads.load(Ordering::SeqCst) - 1;
    assert!((2..=6).contains(&loads_in_two_minutes), "{loads_in_two_minutes}");

    let one = format!("/v1/workspaces/{workspace}");
    app.operator(Method::DELETE, &one).abandon();
    settle(&app, &mut core);
    app.operator(Method::GET, &one).send().expect(404);
    app.clock.advance_ms(600_000);
    settle(&app, &mut core);
    assert!(receiver.0.borrow().is_empty());
    let gone = loads.load(Ordering::SeqCst);
    app.clock.advance_ms(600_000);
    settle(&app, &mut core);
    assert_eq!(loads.load(Ordering::SeqCst), gone, "nothing is owed any more");
}
