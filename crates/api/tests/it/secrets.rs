//! Secrets of native webhooks: brought along, replaced, expired, revoked.

use http::Method;
use serde_json::{Value, json};

use crate::app::App;

const OWN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn webhook(app: &App, body: Value) -> (String, String) {
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let made = app.operator(Method::POST, &path).json(&body).send();
    (format!("{path}/{}", made.expect(201).text_at("/id")), made.text_at("/secret"))
}

fn expiries(app: &App, webhook: &str) -> Vec<String> {
    let shown = app.operator(Method::GET, webhook).send().expect(200).json();
    let previous = shown["previous_secrets"].as_array().unwrap().clone();
    previous.iter().map(|secret| secret["expires_at"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rotation_shows_the_new_secret_once_and_when_the_old_one_ends() {
    let app = App::new();
    let (one, first) = webhook(&app, json!({"url": "https://x.y"}));
    let rotate = format!("{one}/rotate-secret");
    let rotated = app.operator(Method::POST, &rotate).send();
    let second = rotated.expect(200).text_at("/secret");
    assert!(second.starts_with("whsec_") && second != first, "{second}");
    assert_eq!(rotated.header("cache-control"), "no-store");
    assert_eq!(rotated.text_at("/previous_expires_at"), "2026-05-06T10:06:46.150Z", "a day later");
    assert_eq!(rotated.text_at("/id"), one.rsplit('/').next().unwrap());
    let hour = app.operator(Method::POST, &rotate).json(&json!({"overlap_s": 3_600})).send();
    assert_eq!(hour.expect(200).text_at("/previous_expires_at"), "2026-05-05T11:06:46.150Z");
    assert_eq!(expiries(&app, &one), ["2026-05-05T11:06:46.150Z", "2026-05-06T10:06:46.150Z"]);
    app.clock.advance_ms(3_600_000);
    assert_eq!(expiries(&app, &one), ["2026-05-06T10:06:46.150Z"], "an hour later");
    let at_once = app.operator(Method::POST, &rotate).json(&json!({"overlap_s": 0})).send();
    assert_eq!(at_once.expect(200).text_at("/previous_expires_at"), "2026-05-05T11:06:46.150Z");
    let shown = app.operator(Method::GET, &one).send().text();
    assert!(!shown.contains(&second) && !shown.contains("whsec_"), "{shown}");
    assert_eq!(expiries(&app, &one), ["2026-05-06T10:06:46.150Z"], "only the replaced one stops");
    app.operator(Method::DELETE, &format!("{one}/previous-secrets")).send().expect(204);
    assert_eq!(expiries(&app, &one), [""; 0]);
    app.operator(Method::DELETE, &format!("{one}/previous-secrets")).send().expect(204);
}

#[test]
fn a_secret_of_ones_own_is_taken_and_can_be_asked_for_again() {
    let app = App::new();
    let (one, secret) = webhook(&app, json!({"url": "https://x.y", "secret": OWN}));
    assert_eq!(secret, OWN);
    let rotate = |body: Value| app.operator(Method::POST, &format!("{one}/rotate-secret")).json(&body).send();
    for _ in 0..2 {
        let rotated = rotate(json!({"secret": OTHER}));
        assert_eq!(rotated.expect(200).text_at("/secret"), OTHER);
        assert_eq!(rotated.text_at("/previous_expires_at"), "2026-05-06T10:06:46.150Z");
        assert_eq!(expiries(&app, &one).len(), 1, "the second call changes nothing");
    }
    let back = rotate(json!({"secret": OWN}));
    assert_eq!(back.expect(422).pointers(), ["/secret"], "it was given up and still signs");
    app.operator(Method::DELETE, &format!("{one}/previous-secrets")).send().expect(204);
    assert_eq!(rotate(json!({"secret": OWN})).expect(200).text_at("/secret"), OWN);
}

#[test]
fn rotations_are_refused_with_every_reason() {
    let app = App::new();
    let (one, _) = webhook(&app, json!({"url": "https://x.y"}));
    let rotate = |body: Value| app.operator(Method::POST, &format!("{one}/rotate-secret")).json(&body).send();
    let refused = |body: Value, pointers: &[&str]| {
        assert_eq!(rotate(body.clone()).expect(422).pointers(), pointers, "{body}");
    };
    refused(json!({"overlap_s": 604_801, "secret": "whsec_short"}), &["/overlap_s", "/secret"]);
    refused(json!({"overlap_s": -1}), &["/overlap_s"]);
    refused(json!({"overlap_s": 1.5, "x": 1}), &["/overlap_s", "/x"]);
    refused(json!({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}), &["/secret"]);
    for _ in 0..5 {
        rotate(json!({"overlap_s": 604_800})).expect(200);
    }
    rotate(json!({})).expect(409);
    assert_eq!(expiries(&app, &one).len(), 5);
    rotate(json!({"overlap_s": 0})).expect(200);
    let path = format!("/v1/workspaces/{}/webhooks", app.workspace("native"));
    let bad = json!({"url": "https://x.y", "secret": "whsec_"});
    assert_eq!(app.operator(Method::POST, &path).json(&bad).send().expect(422).pointers(), ["/secret"]);
    for call in ["rotate-secret", "test"] {
        app.operator(Method::POST, &format!("{path}/wh_unknown/{call}")).send().expect(404);
    }
    app.operator(Method::DELETE, &format!("{path}/wh_unknown/previous-secrets")).send().expect(404);
}

#[test]
fn secrets_of_other_dialects_are_not_managed_here() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let key = app.key(&workspace);
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["conversation_ended"]});
    let id = app.public(Method::POST, "/v1/webhooks").key(&key).json(&body).send().text_at("/webhookId");
    let one = format!("/v1/workspaces/{workspace}/webhooks/{id}");
    app.operator(Method::POST, &format!("{one}/rotate-secret")).send().expect(409);
    app.operator(Method::POST, &format!("{one}/test")).send().expect(409);
    app.operator(Method::DELETE, &format!("{one}/previous-secrets")).send().expect(409);
}

#[test]
fn calls_with_a_key_happen_once() {
    let app = App::new();
    let (one, _) = webhook(&app, json!({"url": "https://x.y"}));
    let call = |path: &str, body: Value| {
        let call = app.operator(Method::POST, &format!("{one}/{path}")).header("idempotency-key", path);
        call.json(&body).send()
    };
    for path in ["rotate-secret", "test"] {
        let first = call(path, json!({}));
        assert!(
            first.status.is_success() && first.header("idempotency-replayed").is_empty(),
            "{}",
            first.text()
        );
        let again = call(path, json!({}));
        assert_eq!((again.status, again.header("idempotency-replayed")), (first.status, "true"));
        assert_eq!(again.text(), first.text());
        assert_eq!(again.header("cache-control"), first.header("cache-control"));
        call(path, json!({"x": 1})).expect(422);
    }
    assert_eq!(expiries(&app, &one).len(), 1, "one rotation");
    let rotate = json!({"overlap_s": 5});
    let other = app
        .operator(Method::POST, &format!("{one}/rotate-secret"))
        .header("idempotency-key", "rotate-secret");
    assert_eq!(other.json(&rotate).send().expect(422).text_at("/code"), "idempotency_key_reused");
}
