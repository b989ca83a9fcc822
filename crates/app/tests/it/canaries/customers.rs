//! Customers of every dialect with their credentials, logins and webhooks, and operators with keys of their own.

use serde_json::{Value, json};
use signalpost_testkit::{Request, Response, wait_for_some};

use super::deliveries::Tried;
use super::house::{House, OPERATOR_KEY, text_at};
use super::mistakes::Callers;
use super::receivers::Echo;
use crate::PATIENCE;

const PASSWORD_OF_USER: &str = "canary-users-password-c7d80e15";
const WRONG_PASSWORD: &str = "canary-wrong-password-03be9a71";
const IDENTIFIER_SECRET: &str = "canary-receivers-password-2e95d1c4b8";
const IDEMPOTENCY_KEY: &str = "canary-idempotency-key-6fa0c2e9";

pub(super) struct Customers {
    pub(super) workspace_of_agents: String,
    pub(super) mistaken: Callers,
}

pub(super) fn run(house: &mut House, echo: &Echo, native: &Tried) -> Customers {
    operators(house, &native.workspace);
    let (agents, api_key) = agents(house);
    trainers(house);
    let (chain, session) = chain(house, echo);
    let mistaken = Callers {
        workspace: native.workspace.clone(),
        chain,
        webhook: native.webhook.clone(),
        api_key,
        session,
    };
    Customers { workspace_of_agents: agents, mistaken }
}

fn workspace(house: &mut House, dialect: &str) -> String {
    let new = json!({"dialect": dialect, "name": "Acme", "policy": {"retry_schedule_s": []}});
    text_at(&house.operator("making", "POST", "/v1/workspaces", &new), "/id")
}

fn credential(house: &mut House, workspace: &str, new: &Value) -> Response {
    house.operator("making", "POST", &format!("/v1/workspaces/{workspace}/credentials"), new)
}

/// Keys of the operator's side: made, made again under an idempotency key, listed, rotated, used, revoked.
fn operators(house: &mut House, workspace: &str) {
    // It names a call and opens nothing, but what is kept of it is a hash all the same.
    house.book.plant("idempotency key", IDEMPOTENCY_KEY);
    let new = json!({"scopes": ["admin"], "workspace": workspace, "name": "service"});
    let request = Request::new("POST", "/v1/keys")
        .header("authorization", &format!("Bearer {OPERATOR_KEY}"))
        .header("idempotency-key", IDEMPOTENCY_KEY)
        .json(&new);
    let made = house.send_operator("making", request.clone());
    let (id, key) = (text_at(&made, "/id"), text_at(&made, "/secret"));
    house.book.plant("minted operator key", &key);
    assert_eq!(text_at(&house.send_operator("repeating", request), "/secret"), key);
    let get = Request::new("GET", "/v1/keys").header("authorization", &format!("Bearer {key}"));
    assert_eq!(house.send_operator("lists", get.clone()).status, 200);
    let next = house.operator("making", "POST", &format!("/v1/keys/{id}/rotate"), &json!({"overlap_s": 60}));
    house.book.plant("minted operator key", text_at(&next, "/secret"));
    assert_eq!(house.operator("lists", "DELETE", &format!("/v1/keys/{id}"), &Value::Null).status, 204);
    assert_eq!(house.send_operator("errors", get).status, 401);
}

fn agents(house: &mut House) -> (String, String) {
    let workspace = workspace(house, "sigmamind");
    let key = text_at(&credential(house, &workspace, &json!({})), "/secret");
    house.book.plant("API key", &key);
    let own = |request: Request| request.header("x-api-key", &key);
    let new = json!({"name": "n", "agentId": "D5D0p7TUs66TTAEAx", "url": "https://a.b", "events": ["conversation_ended"]});
    let made = house.send_public("making", own(Request::new("POST", "/v1/webhooks").json(&new)));
    house.book.plant("webhook secret of a customer", text_at(&made, "/secret"));
    let path = format!("/v1/webhooks/{}", text_at(&made, "/webhookId"));
    for request in [
        Request::new("GET", "/v1/webhooks"),
        Request::new("GET", &path),
        Request::new("PATCH", &path).json(&json!({"active": false})),
        Request::new("DELETE", &path),
    ] {
        assert!(house.send_public("reading", own(request)).status < 300);
    }
    (workspace, key)
}

fn trainers(house: &mut House) {
    for (dialect, path, types) in [
        ("opentrain", "/api/public/v1/webhooks", ["message.received"]),
        ("opentrain-partner", "/api/partner/v1/webhook-endpoints", ["contract.started"]),
    ] {
        let workspace = workspace(house, dialect);
        let token = text_at(&credential(house, &workspace, &json!({})), "/secret");
        house.book.plant("token", &token);
        let own = |request: Request| request.header("authorization", &format!("Bearer {token}"));
        let new = json!({"url": "https://a.b", "eventTypes": types});
        let made = house.send_public("making", own(Request::new("POST", path).json(&new)));
        house.book.plant("webhook secret of a customer", text_at(&made, "/secret"));
        assert_eq!(house.send_public("reading", own(Request::new("GET", path))).status, 200);
    }
}

/// A chain with a user who logs in, and a webhook with a login, signed with a shared key; its id and a session.
fn chain(house: &mut House, echo: &Echo) -> (String, (String, String)) {
    let chain = workspace(house, "spaaza");
    house.book.plant("password of a user", PASSWORD_OF_USER);
    house.book.plant("wrong password", WRONG_PASSWORD);
    let made = credential(house, &chain, &json!({"username": "ann", "password": PASSWORD_OF_USER}));
    let user = text_at(&made, "/user_id");
    house.book.plant("session key", text_at(&made, "/session_key"));
    let login = |password: &str| {
        Request::new("POST", "/auth/login").json(&json!({"username": "ann", "password": password}))
    };
    assert_eq!(house.send_public("errors", login(WRONG_PASSWORD)).status, 401);
    let opened = house.send_public("logging in", login(PASSWORD_OF_USER));
    let session = text_at(&opened, "/results/session_info/session_key");
    house.book.plant("session key of a login", &session);
    let call = |method: &str, path: &str, body: Value| {
        let request = Request::new(method, path)
            .header("x-spaaza-session-user-id", &user)
            .header("x-spaaza-session-key", &session);
        if body.is_null() { request } else { request.json(&body) }
    };
    let shown = "reading as the contract has it";
    let made =
        house.send_public(shown, call("POST", "/internal/add-webhook-signature", json!({"chain_id": chain})));
    let signature = made.json()["results"]["webhook_signature"].clone();
    let value = signature["value"].as_str().unwrap().to_owned();
    house.book.plant("shared signing key", &value);
    for path in ["/plain", "/json", "/settings"] {
        echo.learn(&echo.url(path), &value);
        let new = json!({
            "chain_id": chain, "event_name": "shopper.voucher-issued", "type": "https", "url": echo.url(path),
            "identifier_key": "ann", "identifier_secret": format!("\"{IDENTIFIER_SECRET}\"</é>"),
            "webhook_signature_id": signature["id"],
        });
        let made = house.send_public(shown, call("POST", "/internal/add-webhook", new));
        let id = text_at(&made, "/results/webhook/id");
        house.send_public(shown, call("GET", &format!("/internal/get-webhook?id={id}"), Value::Null));
    }
    deliver(house, &chain);
    for name in ["get-webhooks", "get-webhook-signatures"] {
        let list = call("GET", &format!("/internal/{name}?chain_id={chain}"), Value::Null);
        assert_eq!(house.send_public(shown, list).status, 200);
    }
    (chain, (user, session))
}

fn deliver(house: &mut House, chain: &str) {
    let event = json!({"type": "shopper.voucher-issued", "id": "voucher1", "data": {"voucher_id": 1}});
    let published = house.operator("publishing", "POST", &format!("/v1/workspaces/{chain}/events"), &event);
    assert_eq!(text_at(&published, "/deliveries"), "3");
    let list = format!("/v1/workspaces/{chain}/deliveries");
    let ended = || {
        let all = house.operator("deliveries", "GET", &list, &Value::Null).json()["data"].clone();
        let all = all.as_array().cloned().unwrap_or_default();
        all.iter().all(|delivery| delivery["status"] == "failed").then_some(all)
    };
    for delivery in wait_for_some("the end of all deliveries", PATIENCE, ended).unwrap() {
        let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
        let shown = house.operator("attempts", "GET", &path, &Value::Null);
        let body = shown.json()["attempts"][0]["response_body"].to_string();
        assert!(body.contains("***"), "{}", shown.text());
    }
}
