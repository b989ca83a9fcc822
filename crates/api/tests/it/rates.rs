//! Limits: of a key's calls, and of an address's failed ones.

use http::Method;
use serde_json::json;

use crate::app::{Answer, App};

const PATH: &str = "/v1/workspaces";

fn call(app: &App, key: &str) -> Answer {
    app.with_key(key, Method::GET, PATH).send()
}

#[test]
fn a_limited_key_is_told_its_limit_and_stopped_at_it() {
    let app = App::new();
    let (_, key) = app.minted(&json!({"scopes": ["read"], "rate_limit_per_s": 2}));
    for left in [3, 2, 1, 0] {
        let answer = call(&app, &key);
        assert_eq!(answer.expect(200).header("ratelimit-policy"), r#""key";q=4;w=2"#);
        let full_in_s = (4 - left + 1) / 2;
        assert_eq!(answer.header("ratelimit"), format!(r#""key";r={left};t={full_in_s}"#));
        assert_eq!(answer.header("retry-after"), "");
    }
    let refused = call(&app, &key);
    assert_eq!(refused.expect(429).text_at("/code"), "rate_limited");
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("1", r#""key";r=0;t=2"#));
    app.clock.advance_ms(499);
    call(&app, &key).expect(429);
    app.clock.advance_ms(1);
    call(&app, &key).expect(200);
    call(&app, &key).expect(429);
    app.clock.advance_ms(-3_600_000);
    call(&app, &key).expect(429);
    app.clock.advance_ms(500);
    call(&app, &key).expect(200);
}

#[test]
fn limits_belong_to_one_key_each_and_refusals_count() {
    let app = App::new();
    let limited = || app.minted(&json!({"scopes": ["publish"], "rate_limit_per_s": 1})).1;
    let (one, other) = (limited(), limited());
    let forbidden = call(&app, &one);
    assert_eq!(forbidden.expect(403).header("ratelimit"), r#""key";r=1;t=1"#, "on refusals too");
    call(&app, &one).expect(403);
    call(&app, &one).expect(429);
    call(&app, &other).expect(403);
    let (_, free) = app.minted(&json!({"scopes": ["read"]}));
    for answer in [call(&app, &free), app.operator(Method::GET, PATH).send()] {
        assert!(answer.expect(200).headers.get("ratelimit").is_none(), "no limit, no word of one");
    }
}

#[test]
fn guessing_is_slow_for_the_guesser_alone() {
    let app = App::new();
    let (_, known) = app.minted(&json!({"scopes": ["read"]}));
    let (_, unused) = app.minted(&json!({"scopes": ["read"]}));
    let guess = |address: &str| app.with_key("guess", Method::GET, PATH).from(address).send();
    let from = |key: &str, address: &str| app.with_key(key, Method::GET, PATH).from(address).send();
    from(&known, "192.0.2.1").expect(200);
    for _ in 0..200 {
        guess("192.0.2.1").expect(401);
    }
    let refused = guess("192.0.2.1");
    assert_eq!(refused.expect(429).text_at("/code"), "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    app.operator_stranger(Method::GET, PATH).from("192.0.2.1").send().expect(429);
    from(&unused, "192.0.2.1").expect(429);
    from(&known, "192.0.2.1").expect(200);
    app.operator(Method::GET, PATH).from("192.0.2.1").send().expect(200);
    guess("192.0.2.2").expect(401);
    app.operator_stranger(Method::GET, PATH).send().expect(401);
    app.operator_stranger(Method::GET, "/livez").from("192.0.2.1").send().expect(200);
    app.clock.advance_ms(20);
    guess("192.0.2.1").expect(401);
    guess("192.0.2.1").expect(429);
    app.clock.advance_ms(1_000);
    from(&unused, "192.0.2.1").expect(200);
}

#[test]
fn a_key_that_ends_sends_no_other_to_the_store_where_a_guesser_is_in_the_way() {
    let app = App::new();
    let (known_id, known) = app.minted(&json!({"scopes": ["read"]}));
    let (revoked, _) = app.minted(&json!({"scopes": ["read"]}));
    let (rotated, _) = app.minted(&json!({"scopes": ["read"]}));
    let gone = app.workspace("native");
    let from = |key: &str| app.with_key(key, Method::GET, PATH).from("192.0.2.1").send();
    from(&known).expect(200);
    for _ in 0..200 {
        from("guess").expect(401);
    }
    from("guess").expect(429);
    app.operator(Method::DELETE, &format!("/v1/keys/{revoked}")).send().expect(204);
    from(&known).expect(200);
    app.operator(Method::POST, &format!("/v1/keys/{rotated}/rotate")).json(&json!({})).send().expect(201);
    from(&known).expect(200);
    app.operator(Method::DELETE, &format!("/v1/workspaces/{gone}")).send().expect(204);
    from(&known).expect(200);
    app.operator(Method::DELETE, &format!("/v1/keys/{known_id}")).send().expect(204);
    from(&known).expect(429);
}

#[test]
fn addresses_of_one_network_guess_together() {
    let app = App::new();
    for n in 0..200 {
        let address = format!("2001:db8:1:2::{n:x}");
        app.operator_stranger(Method::GET, PATH).from(&address).send().expect(401);
    }
    app.operator_stranger(Method::GET, PATH).from("2001:db8:1:2:ffff::1").send().expect(429);
    app.operator_stranger(Method::GET, PATH).from("2001:db8:1:3::1").send().expect(401);
}
