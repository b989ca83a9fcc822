//! What OpenTrain's APIs refuse, in which order and in which words.

use http::Method;
use serde_json::{Value, json};

use crate::opentrain::{Customer, PUBLIC};

#[test]
fn every_error_has_the_documented_envelope() {
    let customer = Customer::new();
    let refused = customer.call(Method::GET, "/webhooks/wh_BUbkx3PsbzQm5V10");
    let id = refused.expect(404).header("x-request-id").to_owned();
    assert_eq!(
        refused.text(),
        format!(
            "{{\"error\":\"no such webhook\",\"code\":\"NOT_FOUND\",\"requestId\":\"{id}\",\
             \"details\":{{\"resource\":\"webhooks\",\"webhookId\":\"wh_BUbkx3PsbzQm5V10\"}}}}"
        )
    );
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    assert!(
        parts == [8, 4, 4, 4, 12] && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
        "{id}"
    );
    let own = "9d1f3a8e-0b6f-4c39-a5d9-3f4a1c2b7e60";
    for (given, kept) in [(own, true), ("req_7", false)] {
        let call =
            customer.app.public(Method::GET, &format!("{PUBLIC}/webhooks")).header("x-request-id", given);
        let answer = call.send();
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
        assert_eq!(answer.header("x-request-id"), answer.text_at("/requestId"));
    }
    let unknown_path = customer.call(Method::GET, "/jobs");
    assert_eq!(unknown_path.expect(404).text_at("/code"), "NOT_FOUND");
    assert!(unknown_path.json().get("details").is_none());
    let path = "/webhooks/wh_BUbkx3PsbzQm5V10";
    let refused = customer.call_with(Method::PATCH, path, &json!({"status": "ACTIVE"}));
    assert_eq!(refused.expect(405).text_at("/code"), "BAD_REQUEST", "a disabled webhook stays so");
    customer.call(Method::POST, &format!("{path}/redeliver")).expect(404);
}

#[test]
fn whoever_has_no_good_token_is_refused_first() {
    let customer = Customer::new();
    let partner = customer.app.key(&customer.app.workspace("opentrain-partner"));
    let other = customer.app.key(&customer.app.workspace("sigmamind"));
    let path = format!("{PUBLIC}/webhooks");
    let call = |value: &str| {
        customer.app.public(Method::POST, &path).header("authorization", value).body("nonsense")
    };
    for value in [
        "Bearer nonsense",
        "Bearer ",
        &format!("Basic {}", customer.token),
        &format!("Bearer {partner}"),
        &format!("Bearer {other}"),
        &format!("Bearer {}x", customer.token),
    ] {
        let refused = call(value).send();
        assert_eq!(refused.expect(401).text_at("/code"), "UNAUTHORIZED", "{value}");
        assert!(refused.json().get("details").is_none() && refused.header("www-authenticate") == "Bearer");
    }
    customer.app.public(Method::GET, &path).send().expect(401);
    customer.app.public(Method::GET, &format!("{PUBLIC}/nowhere")).send().expect(401);
    let good = format!("Bearer {}", customer.token);
    assert!(customer.token.starts_with("ot_pat_") && partner.starts_with("ot_ptk_"));
    call(&good).header("authorization", &good).send().expect(401);

    let credentials = format!("/v1/workspaces/{}/credentials", customer.workspace);
    let soon = json!({"expires_at": "2026-05-05T10:06:47.000Z"});
    let expiring = customer.app.operator(Method::POST, &credentials).json(&soon).send().text_at("/secret");
    customer.call_as(&expiring, Method::GET, "/webhooks").expect(200);
    customer.app.clock.advance_ms(1_000);
    customer.call_as(&expiring, Method::GET, "/webhooks").expect(401);

    let listed = customer.app.operator(Method::GET, &credentials).send().json();
    for credential in listed["data"].as_array().unwrap() {
        let path = format!("{credentials}/{}", credential["id"].as_str().unwrap());
        customer.app.operator(Method::DELETE, &path).send().expect(204);
    }
    customer.call(Method::GET, "/webhooks").expect(401);
}

#[test]
fn feature_comes_before_scope_and_scope_before_the_body() {
    let customer = Customer::new();
    let token = customer.token_with(&["proposals:read"]);
    let path = format!("/v1/workspaces/{}", customer.workspace);
    let switch = |features: Value| {
        customer
            .app
            .operator(Method::PATCH, &path)
            .json(&json!({"features": features}))
            .send()
            .expect(200)
            .status
    };
    let one = "/webhooks/wh_BUbkx3PsbzQm5V10";
    let calls =
        [(Method::POST, "/webhooks"), (Method::GET, "/webhooks"), (Method::GET, one), (Method::DELETE, one)];
    switch(json!([]));
    for (method, path) in calls.clone() {
        let refused = customer.call_with_as(&token, method, path, &json!([]));
        assert_eq!(refused.expect(403).text_at("/code"), "FORBIDDEN");
        assert_eq!(refused.json()["details"], json!({"featureKey": "public_api_webhooks"}));
    }
    switch(json!(["public_api_webhooks"]));
    for (method, path) in calls {
        let refused = customer.call_with_as(&token, method, path, &json!([]));
        assert_eq!(refused.expect(403).text_at("/code"), "FORBIDDEN");
        assert_eq!(refused.json()["details"], json!({"requiredScopes": ["webhooks:manage"]}));
    }
}

#[test]
fn a_webhook_takes_the_scope_of_each_of_its_types() {
    let customer = Customer::new();
    let create = |scopes: &[&str], types: Value| {
        let body = json!({"url": "https://example.com", "eventTypes": types});
        customer.call_with_as(&customer.token_with(scopes), Method::POST, "/webhooks", &body)
    };
    let types = json!(["payment.pending", "message.received", "proposal.received", "contract.created"]);
    let refused = create(&["webhooks:manage", "proposals:read"], types.clone());
    assert_eq!(refused.expect(403).text_at("/code"), "FORBIDDEN");
    let mut details = refused.json()["details"].clone();
    details["requiredScopes"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    details["eventTypes"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(
        details,
        json!({
            "requiredScopes": ["messages:read", "payments:read"],
            "eventTypes": ["contract.created", "message.received", "payment.pending"],
        })
    );
    create(&["webhooks:manage", "proposals:write", "messages:read", "payments:write"], types).expect(201);
    let unknown = create(&["webhooks:manage"], json!(["nothing.known"]));
    unknown.expect(400);
}

#[test]
fn bodies_are_refused_by_field() {
    let customer = Customer::new();
    let raw = |content_type: &str, body: &'static str| {
        let call = customer.app.public(Method::POST, &format!("{PUBLIC}/webhooks"));
        call.header("authorization", &format!("Bearer {}", customer.token)).raw(content_type, body).send()
    };
    for body in ["", "{", "[]", "null", "\"x\"", "{\"url\":1,\"url\":2}"] {
        let refused = raw("application/json", body);
        assert_eq!(refused.expect(400).text_at("/code"), "BAD_REQUEST", "{body}");
        assert!(refused.json().get("details").is_none());
    }
    raw("text/plain", "{}").expect(400);
    let long = Box::leak(format!("{{\"url\":\"{}\"}}", "x".repeat(70_000)).into_boxed_str());
    assert_eq!(raw("application/json", long).expect(413).text_at("/code"), "BAD_REQUEST");
    let details = |change: fn(&mut Value)| customer.create(change).expect(400).json()["details"].clone();
    assert_eq!(details(|body| body["url"] = json!(null)), json!({"field": "url"}));
    assert_eq!(details(|body| drop(body.as_object_mut().unwrap().remove("url"))), json!({"field": "url"}));
    assert_eq!(details(|body| body["status"] = json!("ACTIVE")), json!({"field": "status"}));
    let several = details(|body| *body = json!({"url": 7}));
    assert_eq!(several["field"], "url");
    let fields: Vec<&Value> =
        several["issues"].as_array().unwrap().iter().map(|issue| &issue["field"]).collect();
    assert_eq!(fields, ["url", "eventTypes"]);
}

#[test]
fn another_accounts_webhook_does_not_exist() {
    let customer = Customer::new();
    let id = customer.create(|_| ()).text_at("/webhook/id");
    let stranger = customer.app.key(&customer.app.workspace("opentrain"));
    for method in [Method::GET, Method::DELETE] {
        let refused = customer.call_as(&stranger, method, &format!("/webhooks/{id}"));
        let details = refused.expect(404).json()["details"].clone();
        assert_eq!(details, json!({"resource": "webhooks", "webhookId": id}));
    }
    customer.call(Method::GET, &format!("/webhooks/{id}")).expect(200);
}
