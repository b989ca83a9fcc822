//! Callers who go away before they are answered: what they have begun is brought to its end.

use std::sync::Arc;
use std::task::{Context, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signalpost_api::built_in_dialects;
use signalpost_core::ports::OutboundRequest;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::App;
use crate::core::{idle, running, settle};

const FIRST: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECOND: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// An app over a store whose answers to these verbs are never there at the first look.
fn late(verbs: &'static [&'static str]) -> App {
    let model = MemoryStore::new();
    let plan = move |call: Call| {
        if verbs.contains(&call.verb) { Fault::Late } else { Fault::Pass }
    };
    let store = Arc::new(FaultyStore::new(model.clone(), Box::new(plan)));
    App::over(model, store, built_in_dialects())
}

#[test]
fn every_call_that_changes_something_goes_on_without_its_caller() {
    let app = App::new();
    let workspace = app.workspace("native");
    let document = app.operator_stranger(Method::GET, "/openapi.json").send().expect(200).json();
    let mut seen = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "get" {
                continue;
            }
            let name = operation["operationId"].as_str().unwrap();
            let path = path.replace("{workspace}", &workspace).replace(['{', '}'], "");
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            if name.starts_with("publishEvent") {
                app.operator(method, &path).json(&json!({})).send();
                assert_eq!(app.tasks.count(), 0, "{name} pays for no task");
                seen.0 += 1;
            } else {
                app.operator(method, &path).json(&json!({})).abandon();
                assert_eq!(app.tasks.count(), 1, "{name} is a task of its own");
                app.tasks.drop_all();
                seen.1 += 1;
            }
        }
    }
    assert_eq!(seen.0, 2);
    assert!(seen.1 > 14, "{seen:?}");
}

#[test]
fn customers_changes_go_on_without_their_callers() {
    let app = App::new();
    let key = app.key(&app.workspace("sigmamind"));
    for (method, path) in [
        (Method::POST, "/v1/webhooks"),
        (Method::PATCH, "/v1/webhooks/x"),
        (Method::DELETE, "/v1/webhooks/x"),
    ] {
        app.public(method.clone(), path).key(&key).json(&json!({})).abandon();
        assert_eq!(app.tasks.count(), 1, "{method} {path}");
        app.tasks.drop_all();
    }
}

fn opens(app: &App, key: &str) -> bool {
    app.with_key(key, Method::GET, "/v1/workspaces").send().status == 200
}

#[test]
fn a_rotated_key_ends_although_its_operator_hung_up_during_the_commit() {
    for verbs in [&["rotate_operator_key"][..], &["do_once"]] {
        let app = late(verbs);
        let (id, key) = app.minted(&json!({"scopes": ["read"]}));
        assert!(opens(&app, &key), "it is known to be good now");
        let path = format!("/v1/keys/{id}/rotate");
        let call = app.operator(Method::POST, &path).json(&json!({"overlap_s": 0}));
        let call = if verbs[0] == "do_once" { call.header("idempotency-key", "k") } else { call };
        call.abandon();
        settle(&app, &mut idle());
        assert!(!opens(&app, &key), "{verbs:?}");
    }
}

#[test]
fn a_replay_is_answered_after_what_it_tells_of() {
    let app = late(&["do_once"]);
    let (id, key) = app.minted(&json!({"scopes": ["read"]}));
    assert!(opens(&app, &key));
    let rotate = || {
        let call = app.operator(Method::POST, &format!("/v1/keys/{id}/rotate"));
        call.header("idempotency-key", "k").json(&json!({"overlap_s": 0}))
    };
    rotate().abandon();
    app.tasks.poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(app.tasks.count(), 1, "it is committed, and goes no further");
    app.tasks.drop_all();
    let again = rotate().send();
    assert_eq!(again.expect(201).header("idempotency-replayed"), "true");
    assert!(!opens(&app, &key));
}

/// HMAC-SHA256 (RFC 2104) for keys of at most a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// Whether a delivery carries the signature of this secret, and no other (Standard Webhooks 1.0).
fn is_signed_by(request: &OutboundRequest, secret: &str) -> bool {
    let header = |wanted: &str| &request.headers.iter().find(|(name, _)| &**name == wanted).unwrap().1;
    let mut content = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    content.extend_from_slice(&request.body);
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    *header("webhook-signature") == format!("v1,{}", BASE64.encode(hmac(&key, &content)))
}

/// Ways in which the lanes come to know of a secret that was replaced by a caller who hung up during the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The call goes on by itself.
    GoesOn,
    /// It broke off, and somebody asks for the same secret again.
    SameSecret,
    /// It broke off, and is repeated by its idempotency key.
    SameKey,
}

#[test]
fn lanes_sign_with_the_new_secret_although_its_owner_hung_up_during_the_commit() {
    for way in [Way::GoesOn, Way::SameSecret, Way::SameKey] {
        let app = late(&["update_webhook", "do_once"]);
        let workspace = app.workspace("native");
        let webhooks = format!("/v1/workspaces/{workspace}/webhooks");
        let new = json!({"url": "https://x.y", "secret": FIRST});
        let webhook = app.operator(Method::POST, &webhooks).json(&new).send().text_at("/id");
        let (receiver, mut core) = running(&app);
        let event: Value = json!({"type": "a", "data": 1});
        app.publish(&workspace, &event);
        settle(&app, &mut core);

        let path = format!("{webhooks}/{webhook}/rotate-secret");
        let rotate = || {
            let call = app.operator(Method::POST, &path).json(&json!({"secret": SECOND, "overlap_s": 0}));
            if way == Way::SameKey { call.header("idempotency-key", "k") } else { call }
        };
        rotate().abandon();
        if way != Way::GoesOn {
            app.tasks.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(app.tasks.count(), 1, "it is committed, and goes no further");
            app.tasks.drop_all();
            // Its answer waits for the core, which runs in between.
            rotate().abandon();
        }
        settle(&app, &mut core);
        app.publish(&workspace, &event);
        settle(&app, &mut core);
        let requests = receiver.0.borrow();
        assert_eq!(requests.len(), 2, "{way:?}");
        assert!(is_signed_by(&requests[0], FIRST), "{way:?}");
        assert!(is_signed_by(&requests[1], SECOND), "{way:?}");
    }
}
