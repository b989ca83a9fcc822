//! Failed authentications on the public side: slow for the guesser alone, and next to nothing for the store.

use std::sync::Arc;

use http::Method;
use serde_json::json;
use signalpost_api::built_in_dialects;
use signalpost_api::dialect::sigmamind::Instance;
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::{Answer, App};

const PATH: &str = "/v1/webhooks";
/// Of the right form, and never minted.
const GUESS: &str = "sgm_vN3xQ8rT1yU6iO0pA5sD9fG2hJ7kL4zX8cV1bN6m";

fn from(app: &App, key: &str, address: &str) -> Answer {
    app.public(Method::GET, PATH).key(key).from(address).send()
}

#[test]
fn guessing_is_slow_for_the_guesser_alone() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let (known, unused) = (app.key(&workspace), app.key(&workspace));
    from(&app, &known, "192.0.2.1").expect(200);
    for n in 0..200 {
        let call = app.public(Method::GET, PATH).from("192.0.2.1");
        let call = if n % 2 == 0 { call.key(GUESS) } else { call };
        call.send().expect(401);
    }
    let refused = from(&app, GUESS, "192.0.2.1");
    assert_eq!(refused.expect(429).text_at("/error"), "Too Many Requests");
    assert_eq!(refused.header("retry-after"), "1");
    from(&app, &unused, "192.0.2.1").expect(429);
    from(&app, &known, "192.0.2.1").expect(200);
    from(&app, GUESS, "192.0.2.2").expect(401);
    from(&app, &unused, "192.0.2.2").expect(200);
    from(&app, &unused, "192.0.2.1").expect(200);
    // What somebody else loses sends nobody else to the store.
    let path = format!("/v1/workspaces/{workspace}/credentials");
    let other = app.operator(Method::POST, &path).json(&json!({})).send().text_at("/id");
    app.operator(Method::DELETE, &format!("{path}/{other}")).send().expect(204);
    let gone = app.workspace("sigmamind");
    app.operator(Method::DELETE, &format!("/v1/workspaces/{gone}")).send().expect(204);
    from(&app, &known, "192.0.2.1").expect(200);
    app.clock.advance_ms(20);
    from(&app, GUESS, "192.0.2.1").expect(401);
    from(&app, GUESS, "192.0.2.1").expect(429);
}

#[test]
fn what_cannot_be_a_credential_costs_the_store_nothing() {
    let model = MemoryStore::new();
    let store = Arc::new(FaultyStore::new(model.clone(), Box::new(|_| Fault::Pass)));
    let app = App::over(model, Arc::clone(&store) as _, built_in_dialects());
    let key = app.key(&app.workspace("sigmamind"));
    let before = store.calls();
    for bad in
        ["x", "sgm_", &key[key.len() - 20..], &format!("{}-", &key[..key.len() - 1]), &"-".repeat(60_000)]
    {
        app.public(Method::GET, PATH).key(bad).send().expect(401);
    }
    app.public(Method::GET, PATH).bytes_header("x-api-key", &[0xff; 40]).send().expect(401);
    assert_eq!(store.calls(), before);
    app.public(Method::GET, PATH).key(GUESS).send().expect(401);
    assert_eq!(store.calls(), before + 1, "that one could have been minted");
    app.public(Method::GET, PATH).key(&key).send().expect(200);
}

#[test]
fn a_brand_may_change_its_prefix_and_keys_stay_good() {
    let model = MemoryStore::new();
    let branded = |prefix: &str| {
        let instance = Instance { api_key_prefix: prefix.to_owned(), ..Instance::default() };
        vec![instance.dialect().unwrap()]
    };
    let before = App::over(model.clone(), Arc::new(model.clone()), branded("sgm_"));
    let key = before.key(&before.workspace("sigmamind"));
    let after = App::over(model.clone(), Arc::new(model), branded("acme_"));
    after.public(Method::GET, PATH).key(&key).send().expect(200);
}
