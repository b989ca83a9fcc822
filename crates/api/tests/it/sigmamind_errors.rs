//! SigmaMind's error envelope, and that the key comes first.

use http::Method;
use serde_json::json;

use crate::app::{Answer, App};
use crate::sigmamind::Customer;

/// The envelope without `validationErrors`, byte for byte.
#[track_caller]
fn envelope(answer: &Answer, status: u16, error: &str, message: &str, path: &str) {
    let expected = format!(
        "{{\"timestamp\":\"2026-05-05T10:06:46.150Z\",\"status\":{status},\"error\":\"{error}\",\"message\":\"{message}\",\
         \"path\":\"{path}\"}}"
    );
    assert_eq!(answer.expect(status).text(), expected);
    assert_eq!(answer.header("content-type"), "application/json");
}

#[track_caller]
fn unauthorized(answer: &Answer, path: &str) {
    envelope(answer, 401, "Unauthorized", "X-API-Key is missing or invalid", path);
}

#[test]
fn without_a_good_key_nothing_else_is_said() {
    let customer = Customer::new();
    let made = customer.create(|_| ()).text_at("/webhookId");
    let app = &customer.app;
    let one = format!("/v1/webhooks/{made}");
    for (method, path) in [
        (Method::GET, "/v1/webhooks"),
        (Method::POST, "/v1/webhooks"),
        (Method::PUT, "/v1/webhooks"),
        (Method::GET, one.as_str()),
        (Method::GET, "/v1/nonsense"),
        (Method::GET, "/v1/"),
    ] {
        unauthorized(&app.public(method.clone(), path).send(), path);
        unauthorized(&app.public(method, path).key("nonsense").json(&json!({})).send(), path);
    }
    unauthorized(&app.public(Method::GET, "/v1/webhooks?page=-1").key("").send(), "/v1/webhooks");
    let twice = app.public(Method::GET, "/v1/webhooks").key(&customer.key).key(&customer.key);
    unauthorized(&twice.send(), "/v1/webhooks");
    let bearer = format!("Bearer {}", customer.key);
    unauthorized(
        &app.public(Method::GET, "/v1/webhooks").header("authorization", &bearer).send(),
        "/v1/webhooks",
    );
}

#[test]
fn keys_end_by_expiry_by_revocation_and_with_their_workspace() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let path = format!("/v1/workspaces/{workspace}/credentials");
    let expiring = json!({"expires_at": "2026-05-05T10:06:47.150Z"});
    let expiring = app.operator(Method::POST, &path).json(&expiring).send().text_at("/secret");
    let lasting = app.key(&workspace);
    let status = |key: &str| app.public(Method::GET, "/v1/webhooks").key(key).send().status.as_u16();
    assert_eq!((status(&expiring), status(&lasting)), (200, 200));
    app.clock.advance_ms(1_000);
    assert_eq!((status(&expiring), status(&lasting)), (401, 200));
    app.operator(Method::DELETE, &format!("/v1/workspaces/{workspace}")).send().expect(204);
    assert_eq!(status(&lasting), 401);
}

#[test]
fn unknown_and_foreign_webhooks_are_the_same_404() {
    let customer = Customer::new();
    let theirs = customer.create(|_| ()).text_at("/webhookId");
    let other = customer.app.key(&customer.app.workspace("sigmamind"));
    let calls = [&theirs, "wh_0000000000000000", "..", "%2e%2e", "a%2Fb", "%00"];
    for id in calls {
        let path = format!("/v1/webhooks/{id}");
        for method in [Method::GET, Method::DELETE] {
            let answer = customer.app.public(method, &path).key(&other).send();
            envelope(&answer, 404, "Not Found", "The requested resource was not found", &path);
        }
        let answer =
            customer.app.public(Method::PATCH, &path).key(&other).json(&json!({"active": false})).send();
        envelope(&answer, 404, "Not Found", "The requested resource was not found", &path);
    }
    assert_eq!(
        customer.call(Method::GET, &format!("/v1/webhooks/{theirs}")).expect(200).json()["active"],
        true
    );
    assert_eq!(customer.app.public(Method::GET, "/v1/webhooks").key(&other).send().json()["totalCount"], 0);
}

#[test]
fn unknown_paths_and_methods_are_in_the_envelope() {
    let customer = Customer::new();
    for path in [
        "/v1/nonsense",
        "/v1/webhooks/",
        "/v1/webhooks/a/b",
        "/v1/../v1/webhooks",
        "/v1/webhooks/%ff",
        "/v1/",
    ] {
        let answer = customer.call(Method::GET, path);
        envelope(&answer, 404, "Not Found", "The requested resource was not found", path);
    }
    for (method, path, allow) in [
        (Method::DELETE, "/v1/webhooks", "GET,HEAD,POST"),
        (Method::POST, "/v1/webhooks/wh_1", "GET,HEAD,PATCH,DELETE"),
        (Method::PUT, "/v1/webhooks/wh_1", "GET,HEAD,PATCH,DELETE"),
        (Method::OPTIONS, "/v1/webhooks", "GET,HEAD,POST"),
    ] {
        let answer = customer.call(method, path);
        assert_eq!(answer.expect(405).header("allow"), allow);
        envelope(&answer, 405, "Method Not Allowed", "this path does not offer this method", path);
    }
}
