//! Whoever would take away what is gone already is told so when it is gone on every node, on whichever surface; until then
//! nobody can say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use signalpost_api::built_in_dialects;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::{Answer, App};
use crate::opentrain::Customer as Train;
use crate::spaaza::Customer as Shop;

/// An app of which nobody can say whether other nodes go by what was changed, while it is asked to be so.
fn app() -> (App, Arc<AtomicBool>) {
    let (model, is_silent) = (MemoryStore::new(), Arc::new(AtomicBool::new(false)));
    let asked = Arc::clone(&is_silent);
    let plan = move |call: Call| {
        let fails = call.verb == "settle_changes" && asked.load(Ordering::SeqCst);
        if fails { Fault::Before } else { Fault::Pass }
    };
    let store = Arc::new(FaultyStore::new(model.clone(), Box::new(plan)));
    (App::over(model, store, built_in_dialects()), is_silent)
}

/// How a call is answered while another node is silent, and when it is not any more.
fn statuses(is_silent: &AtomicBool, call: impl Fn() -> Answer) -> [u16; 2] {
    [true, false].map(|silent| {
        is_silent.store(silent, Ordering::SeqCst);
        call().status.as_u16()
    })
}

#[test]
fn on_the_operator_side() {
    let (app, is_silent) = app();
    let workspace = app.workspace("native");
    for path in [
        "workspaces/gone".to_owned(),
        "workspaces/gone/webhooks/x".to_owned(),
        "workspaces/gone/webhooks/x/previous-secrets".to_owned(),
        "workspaces/gone/credentials/cred_1".to_owned(),
        format!("workspaces/{workspace}/webhooks/x"),
        format!("workspaces/{workspace}/webhooks/x/previous-secrets"),
        "keys/key_1".to_owned(),
    ] {
        let delete = || app.operator(Method::DELETE, &format!("/v1/{path}")).send();
        assert_eq!(statuses(&is_silent, delete), [503, 404], "{path}");
    }
    let get = || app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/webhooks/x")).send();
    assert_eq!(statuses(&is_silent, get), [404; 2], "a read waits for nobody");
}

#[test]
fn on_the_public_side() {
    let (app, is_silent) = app();
    let train = Train::of(app, "opentrain", "/api/public/v1");
    let path = format!("/webhooks/{}", train.create(|_| ()).expect(201).text_at("/webhook/id"));
    train.call(Method::DELETE, &path).expect(200);
    assert_eq!(statuses(&is_silent, || train.call(Method::DELETE, &path)), [503, 404]);
}

/// Whose words for it are others.
#[test]
fn where_every_refusal_may_say_so() {
    let (app, is_silent) = app();
    let shop = Shop::of(app);
    let (webhook, (signature, _), chain) = (shop.added(), shop.signature(), &shop.chain);
    for (call, form, refused) in [
        ("delete-webhook", format!("id={webhook}&chain_id={chain}"), 400),
        ("delete-webhook-signature", format!("id={signature}"), 404),
        // What was deleted is not paused either.
        ("alter-webhook", format!("id={webhook}&chain_id={chain}&active=0"), 400),
        ("delete-webhook", format!("id={webhook}&chain_id=999999"), 403),
    ] {
        let method = if call == "alter-webhook" { Method::PUT } else { Method::DELETE };
        let ask = || shop.form(method.clone(), call, &form);
        // The first of each kind finds it still.
        if method == Method::DELETE && refused != 403 {
            ask().expect(200);
        }
        assert_eq!(statuses(&is_silent, ask), [503, refused], "{call} {form}");
    }
}
