//! Credentials that are revoked, or expire, while the body of a request is still arriving: it is judged again.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::app::App;

/// Every call of a document that takes a body, with ids filled in that name nothing but the workspace.
fn calls_with_bodies(app: &App, document: &str, workspace: &str) -> Vec<(Method, String)> {
    let document = app.operator_stranger(Method::GET, document).send().expect(200).json();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("requestBody").is_some() {
                let path = path.replace("{workspace}", workspace).replace(['{', '}'], "");
                calls.push((method.to_ascii_uppercase().parse().unwrap(), path));
            }
        }
    }
    calls
}

fn revoke(app: &App, id: &str) {
    app.operator(Method::DELETE, &format!("/v1/keys/{id}")).send().expect(204);
}

#[test]
fn a_key_that_is_revoked_while_a_body_arrives_does_nothing_any_more() {
    let app = Arc::new(App::new());
    let workspace = app.workspace("native");
    let calls = calls_with_bodies(&app, "/openapi.json", &workspace);
    assert!(calls.len() > 8, "{calls:?}");
    for (method, path) in calls {
        let (id, key) = app.minted(&json!({"scopes": ["admin"]}));
        let meanwhile = Arc::clone(&app);
        let answer = app
            .with_key(&key, method.clone(), &path)
            .json_after(&json!({}), move || revoke(&meanwhile, &id))
            .send();
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
        assert_eq!(answer.text_at("/code"), "unauthenticated");
    }
    let events = format!("/v1/workspaces/{workspace}/events");
    let (id, key) = app.minted(&json!({"scopes": ["publish"]}));
    let meanwhile = Arc::clone(&app);
    let event = json!({"type": "a", "data": 1});
    let late = app.with_key(&key, Method::POST, &events).json_after(&event, move || revoke(&meanwhile, &id));
    late.send().expect(401);
    assert_eq!(app.operator(Method::GET, &events).send().json()["data"], json!([]), "nothing was stored");
}

#[test]
fn every_way_in_which_a_key_ends_counts() {
    type Ending = fn(&App, &str, &str);
    let app = Arc::new(App::new());
    let endings: [(&str, Ending, u16); 5] = [
        ("expired", |app, _, _| app.clock.advance_ms(1_000), 401),
        (
            "rotated without an overlap",
            |app, id, _| {
                let path = format!("/v1/keys/{id}/rotate");
                app.operator(Method::POST, &path).json(&json!({"overlap_s": 0})).send().expect(201);
            },
            401,
        ),
        (
            "ended with its workspace",
            |app, _, workspace| {
                app.operator(Method::DELETE, &format!("/v1/workspaces/{workspace}")).send().expect(204);
            },
            401,
        ),
        (
            "rotated with an overlap",
            |app, id, _| {
                let path = format!("/v1/keys/{id}/rotate");
                app.operator(Method::POST, &path).json(&json!({})).send().expect(201);
            },
            202,
        ),
        (
            "another one was revoked",
            |app, _, _| {
                let (other, _) = app.minted(&json!({"scopes": ["read"]}));
                revoke(app, &other);
            },
            202,
        ),
    ];
    for (what, ending, status) in endings {
        let workspace = app.workspace("native");
        let end = app.engine.now().plus_ms(1_000).to_rfc3339_ms();
        let new = json!({"scopes": ["publish"], "workspace": workspace, "expires_at": end});
        let (id, key) = app.minted(&new);
        let path = format!("/v1/workspaces/{workspace}/events");
        let (meanwhile, event) = (Arc::clone(&app), json!({"type": "a", "data": 1}));
        let call = app.with_key(&key, Method::POST, &path);
        let answer = call.json_after(&event, move || ending(&meanwhile, &id, &workspace)).send();
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
}

#[test]
fn a_customers_key_that_is_revoked_while_a_body_arrives_does_nothing_any_more() {
    let app = Arc::new(App::new());
    let workspace = app.workspace("sigmamind");
    let path = format!("/v1/workspaces/{workspace}/credentials");
    let issue = || {
        let issued = app.operator(Method::POST, &path).json(&json!({})).send();
        (issued.expect(201).text_at("/id"), issued.text_at("/secret"))
    };
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["conversation_ended"]});
    let (kept_id, kept) = issue();
    let made = app.public(Method::POST, "/v1/webhooks").key(&kept).json(&body).send();
    let one = format!("/v1/webhooks/{}", made.expect(201).text_at("/webhookId"));
    let calls: [(Method, &str, Value); 2] =
        [(Method::POST, "/v1/webhooks", body), (Method::PATCH, &one, json!({"active": false}))];
    for (method, called, body) in calls {
        let (id, key) = issue();
        let (meanwhile, revoked) = (Arc::clone(&app), format!("{path}/{id}"));
        let revoke = move || {
            meanwhile.operator(Method::DELETE, &revoked).send().expect(204);
        };
        let answer = app.public(method, called).key(&key).json_after(&body, revoke).send();
        assert_eq!(answer.expect(401).text_at("/error"), "Unauthorized");
    }
    let list = app.public(Method::GET, "/v1/webhooks").key(&kept).send().expect(200).json();
    assert_eq!((&list["totalCount"], &list["data"][0]["active"]), (&json!(1), &json!(true)));
    app.operator(Method::DELETE, &format!("{path}/{kept_id}")).send().expect(204);
    app.public(Method::GET, "/v1/webhooks").key(&kept).send().expect(401);
}
