//! Spaaza's calls on a store that answers nothing more once something was changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use serde_json::json;
use signalpost_api::built_in_dialects;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::App;
use crate::spaaza::{Customer, id_at};

const CHANGES: [&str; 4] = ["create_webhook", "update_webhook", "delete_webhook", "delete_signing_key"];
const READS: [&str; 4] = ["webhook", "list_webhooks", "signing_key", "list_signing_keys"];

#[test]
fn nothing_fails_any_more_once_it_is_done() {
    let model = MemoryStore::new();
    let is_changed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_changed);
    let plan = move |call: Call| {
        if CHANGES.contains(&call.verb) {
            seen.store(true, Ordering::SeqCst);
        }
        let fails = READS.contains(&call.verb) && seen.load(Ordering::SeqCst);
        if fails { Fault::Before } else { Fault::Pass }
    };
    let store = Arc::new(FaultyStore::new(model.clone(), Box::new(plan)));
    let customer = Customer::of(App::over(model, store, built_in_dialects()));
    let chain = &customer.chain;
    let ((one, value), (two, _)) = (customer.signature(), customer.signature());
    let added = customer.add(|body| {
        body["webhook_signature_id"] = json!(one);
        body["identifier_secret"] = json!("s3cret");
    });
    assert!(is_changed.swap(false, Ordering::SeqCst), "the webhook was stored");
    assert_eq!(added.expect(200).text_at("/results/webhook/webhook_signature/value"), value);
    let id = id_at(&added, "/results/webhook/id");
    for (form, signature) in [
        ("active=0".to_owned(), json!(one)),
        (format!("webhook_signature_id={two}"), json!(two)),
        ("webhook_signature_id=".to_owned(), json!(null)),
    ] {
        let altered = customer.alter(id, &form);
        assert!(is_changed.swap(false, Ordering::SeqCst), "{form}");
        let shown = altered.expect(200).json()["results"]["webhook"].take();
        assert_eq!(shown["webhook_signature"].get("id").cloned().unwrap_or_default(), signature, "{form}");
    }
    customer.app.clock.advance_ms(2_000);
    let one = format!("id={one}");
    for (call, form, shown) in [
        ("delete-webhook", format!("id={id}&chain_id={chain}"), "webhook"),
        ("delete-webhook-signature", one, "webhook_signature"),
    ] {
        let deleted = customer.form(Method::DELETE, call, &form);
        assert!(is_changed.swap(false, Ordering::SeqCst), "{call}");
        let shown = deleted.expect(200).json()["results"][shown].take();
        assert_eq!((&shown["deleted"], &shown["active"]), (&json!(true), &json!(false)));
        assert_eq!(shown["last_modified_date"], "2026-05-05T10:06:48+00:00");
    }
}
