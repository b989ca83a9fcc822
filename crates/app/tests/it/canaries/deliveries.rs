//! A native workspace whose webhooks have every kind of credential, and whose receivers say them again or fail in all ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use signalpost_testkit::{free_port, wait_for_some};

use super::house::{House, text_at};
use super::receivers::{Echo, PATHS};
use crate::PATIENCE;

/// Around each secret stand characters that every spelling escapes in its own way.
const AUTHORIZATION: &str = "canary-authorization-4c8e1b7d90a2f653";
const API_KEY: &str = "canary-x-api-key-91fd3e60b7c24a58";
const PASSWORD: &str = "canary-receivers-password-2e95d1c4b8";
const OWN_SECRET: &[u8] = b"canary-own-webhook-secret-5b1c83";
const NEXT_SECRET: &[u8] = b"canary-rotated-secret-e4097af21d";

/// A workspace that has done all of it.
pub(super) struct Tried {
    pub(super) workspace: String,
    pub(super) webhook: String,
}

pub(super) fn run(house: &mut House, echo: &Echo) -> Tried {
    plant(house);
    let policy = json!({"retry_schedule_s": [], "timeout_ms": 2_000});
    let new = json!({"dialect": "native", "name": "Acme", "policy": policy});
    let workspace = text_at(&house.operator("making", "POST", "/v1/workspaces", &new), "/id");
    let webhooks = format!("/v1/workspaces/{workspace}/webhooks");
    let mut last = String::new();
    for url in urls(echo) {
        for credentials in [with_headers(), with_login()] {
            last = subscribe(house, echo, &webhooks, &url, credentials);
        }
    }
    let events = format!("/v1/workspaces/{workspace}/events");
    house.book.plant("data of an event", "plain-data-of-an-event-77");
    let event = json!({"type": "order.paid", "data": {"note": "plain-data-of-an-event-77"}});
    let published = house.operator("publishing", "POST", &events, &event);
    let (event, count) = (text_at(&published, "/id"), published.json()["deliveries"].as_u64().unwrap());
    look_at_attempts(house, &workspace, count);
    house.operator("events", "GET", &format!("{events}/{event}"), &Value::Null);
    house.operator("explaining", "GET", &format!("{events}/{event}/explain"), &Value::Null);
    Tried { workspace, webhook: last }
}

fn plant(house: &mut House) {
    let book = &mut house.book;
    for (name, secret) in [
        ("header authorization", AUTHORIZATION),
        ("header x-api-key", API_KEY),
        ("password at the receiver", PASSWORD),
    ] {
        book.plant(name, secret);
    }
    // Of one that was cut off the beginning is a secret too.
    book.plant("login at the receiver", BASE64.encode(format!("ann:\"{PASSWORD}\"</é>")));
    book.plant("own webhook secret", BASE64.encode(OWN_SECRET));
    book.plant("key of the own webhook secret", OWN_SECRET);
    book.plant("rotated webhook secret", BASE64.encode(NEXT_SECRET));
    book.plant("key of the rotated webhook secret", NEXT_SECRET);
}

fn with_headers() -> Value {
    json!({"headers": {"Authorization": format!("Bearer <{AUTHORIZATION}/\"&\\>"), "X-API-Key": format!("{API_KEY}=+%'")}})
}

fn with_login() -> Value {
    json!({"basic_auth": {"username": "ann", "password": format!("\"{PASSWORD}\"</é>")}})
}

/// Whoever says things again, and every way to fail.
fn urls(echo: &Echo) -> Vec<String> {
    let mut urls = PATHS.map(|path| echo.url(path)).to_vec();
    urls.extend([
        echo.url("/tls").replace("http://", "https://"),
        format!("http://127.0.0.1:{}/refused", free_port()),
        "http://10.255.255.1/blocked".to_owned(),
        "https://nobody.invalid/unknown".to_owned(),
    ]);
    urls
}

/// Two webhooks: one with a secret that was made for it, and one whose owner brought a secret and replaced it; the id of that.
fn subscribe(house: &mut House, echo: &Echo, webhooks: &str, url: &str, credentials: Value) -> String {
    let mut body = credentials;
    let [minted_url, own_url] = ["minted", "own"].map(|secret| {
        let kind = if body.get("headers").is_some() { "headers" } else { "login" };
        format!("{url}?{secret}-{kind}")
    });
    body["url"] = json!(minted_url);
    let minted = text_at(&house.operator("making", "POST", webhooks, &body), "/secret");
    house.book.plant("webhook secret", &minted["whsec_".len()..]);
    echo.learn(&minted_url, &minted);
    let secret = |key: &[u8]| format!("whsec_{}", BASE64.encode(key));
    body["url"] = json!(own_url);
    body["secret"] = json!(secret(OWN_SECRET));
    let made = house.operator("making", "POST", webhooks, &body);
    let webhook = text_at(&made, "/id");
    let rotation = json!({"secret": secret(NEXT_SECRET), "overlap_s": 3_600});
    let rotated = house.operator("making", "POST", &format!("{webhooks}/{webhook}/rotate-secret"), &rotation);
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    [OWN_SECRET, NEXT_SECRET].iter().for_each(|key| echo.learn(&own_url, &secret(key)));
    webhook
}

/// Every attempt of every delivery, once all have ended.
fn look_at_attempts(house: &mut House, workspace: &str, count: u64) {
    let list = format!("/v1/workspaces/{workspace}/deliveries?limit=100");
    let pending = format!("{list}&status=pending");
    let ended = || {
        let pending = house.operator("deliveries", "GET", &pending, &Value::Null).json();
        pending["data"].as_array().is_some_and(Vec::is_empty).then_some(())
    };
    wait_for_some("the end of all deliveries", PATIENCE, ended).unwrap();
    let deliveries = house.operator("deliveries", "GET", &list, &Value::Null).json();
    let deliveries = deliveries["data"].as_array().unwrap().clone();
    assert_eq!(deliveries.len() as u64, count);
    let (mut masked, mut outcomes) = (0, std::collections::BTreeSet::new());
    for delivery in deliveries {
        let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
        let shown = house.operator("attempts", "GET", &path, &Value::Null).json();
        let attempt = &shown["attempts"][0];
        outcomes.insert(attempt["outcome"].to_string());
        masked += usize::from(format!("{}{}", attempt["response_body"], attempt["message"]).contains("***"));
    }
    // All receivers but one say things again, to four webhooks each; of the redirect too.
    assert!(masked >= 4 * (PATHS.len() - 1), "{masked} of {count} answers were masked: {outcomes:?}");
    assert!(outcomes.len() >= 7, "{outcomes:?}");
}
