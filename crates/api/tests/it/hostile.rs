//! Whatever a stranger sends: who comes first, what is refused how, and that nothing answers 500.

use http::Method;
use serde_json::json;

use crate::app::{Answer, App, OPERATOR_KEY};

#[test]
fn the_operator_side_asks_for_its_key_before_anything_else() {
    let app = App::new();
    let refused = |answer: &Answer, what: &str| {
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.text_at("/code"), "unauthenticated");
        assert!(!answer.text().contains(OPERATOR_KEY));
    };
    let calls = [
        (Method::GET, "/v1/workspaces"),
        (Method::GET, "/v1/workspaces?limit=0"),
        (Method::DELETE, "/v1/workspaces"),
        (Method::POST, "/v1/workspaces"),
        (Method::GET, "/v1/nonsense"),
        (Method::GET, "/v1"),
        (Method::GET, "/v1/"),
        (Method::GET, "/v1/../v1/x"),
    ];
    for (method, path) in calls {
        refused(&app.operator_stranger(method.clone(), path).send(), path);
        refused(&app.operator_stranger(method, path).header("authorization", "Bearer wrong").send(), path);
    }
    let with =
        |value: &str| app.operator_stranger(Method::GET, "/v1/workspaces").header("authorization", value);
    let basic = format!("Basic {OPERATOR_KEY}");
    for value in ["", "Bearer", "Bearer ", OPERATOR_KEY, &basic, &format!("Bearer {OPERATOR_KEY}x")] {
        refused(&with(value).send(), value);
    }
    let right = format!("bEARER {OPERATOR_KEY}");
    refused(&with(&right).header("authorization", &right).send(), "two keys");
    with(&right).send().expect(200);
}

#[test]
fn unknown_paths_and_methods_have_the_shape_of_their_surface() {
    let app = App::new();
    let workspace = app.workspace("native");
    let problem = |answer: &Answer, status: u16, code: &str| {
        assert_eq!(answer.expect(status).header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)));
        assert_eq!(problem["type"], json!(format!("/docs/errors#{code}")));
        assert_eq!(problem["request_id"], json!(answer.header("x-request-id")));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    };
    let escaped = format!("/v1/workspaces/{workspace}%2Fevents");
    let dotted = format!("/v1/workspaces/{workspace}/../{workspace}");
    let slash = format!("/v1/workspaces/{workspace}/");
    for path in [
        "/v1/nonsense",
        "/v1/workspaces/",
        &slash,
        "/v1",
        "/v1/",
        &escaped,
        &dotted,
        "/v1/workspaces/..",
        "/v1/workspaces/%ff",
        "/v1//workspaces",
    ] {
        problem(&app.operator(Method::GET, path).send(), 404, "not_found");
    }
    for path in ["/", "/nonsense", "/livez/", "/v2/workspaces", "/metrics/x"] {
        problem(&app.operator_stranger(Method::GET, path).send(), 404, "not_found");
    }
    let answer = app.operator(Method::DELETE, "/v1/workspaces").send();
    problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    let answer = app.operator_stranger(Method::POST, "/livez").send();
    problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    app.operator(Method::HEAD, "/v1/workspaces").send().expect(200);
    problem(&app.public(Method::GET, "/").send(), 404, "not_found");
    app.public(Method::GET, "/v1/workspaces/../../livez").send().expect(401);
    app.public(Method::GET, "/livez").send().expect(404);
}

#[test]
fn request_ids_are_echoed_or_minted() {
    let app = App::new();
    let id_for = |given: &str| {
        let call = app.operator(Method::GET, "/v1/workspaces").header("x-request-id", given);
        call.send().expect(200).header("x-request-id").to_owned()
    };
    assert_eq!(id_for("abc-1.2:3_4"), "abc-1.2:3_4");
    for bad in ["", "a b", &"x".repeat(129)] {
        assert!(id_for(bad).starts_with("req_"), "{bad}");
    }
    let unknown = app.operator_stranger(Method::GET, "/x").header("x-request-id", "mine").send();
    assert_eq!(unknown.text_at("/request_id"), "mine");
    assert_eq!(
        app.public(Method::GET, "/v1/webhooks").header("x-request-id", "mine").send().header("x-request-id"),
        "mine"
    );
}

/// What it is, its content type, its bytes, and the operator's status and the dialect's.
type BadBody = (&'static str, Option<&'static str>, Vec<u8>, u16, u16);

/// Bodies that cannot be read.
fn bad_bodies() -> Vec<BadBody> {
    let json = Some("application/json");
    vec![
        ("no content type", None, b"{}".to_vec(), 415, 400),
        ("text", Some("text/plain"), b"{}".to_vec(), 415, 400),
        ("form", Some("application/x-www-form-urlencoded"), b"a=b".to_vec(), 415, 400),
        ("latin", Some("application/json; charset=iso-8859-1"), b"{}".to_vec(), 415, 400),
        ("no body at all", None, Vec::new(), 415, 400),
        ("empty", json, Vec::new(), 400, 400),
        ("cut off", json, b"{\"name\": ".to_vec(), 400, 400),
        ("an array", json, b"[]".to_vec(), 400, 400),
        ("a string", json, b"\"x\"".to_vec(), 400, 400),
        ("null", json, b"null".to_vec(), 400, 400),
        ("trailing", json, b"{} {}".to_vec(), 400, 400),
        ("twice", json, b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(), 400, 400),
        ("not UTF-8", json, b"{\"name\":\"\xff\xfe\"}".to_vec(), 400, 400),
        ("a raw NUL", json, b"{\"name\":\"a\0b\"}".to_vec(), 400, 400),
        ("deep", json, format!("{{\"name\":{}", "[".repeat(60_000)).into_bytes(), 400, 400),
        (
            "closed deep",
            json,
            format!("{{\"data\":{}{}}}", "[".repeat(200), "]".repeat(200)).into_bytes(),
            400,
            400,
        ),
        ("ten megabytes", json, vec![b' '; 10 * 1024 * 1024], 413, 413),
    ]
}

#[test]
fn bodies_that_cannot_be_read_are_refused_precisely() {
    let app = App::new();
    let workspace = app.workspace("native");
    let foreign = app.workspace("sigmamind");
    let key = app.key(&foreign);
    let wh = format!("/v1/workspaces/{workspace}/webhooks");
    let operator = [
        (Method::POST, "/v1/workspaces".to_owned()),
        (Method::PATCH, format!("/v1/workspaces/{workspace}")),
        (Method::POST, format!("/v1/workspaces/{foreign}/credentials")),
        (Method::POST, format!("/v1/workspaces/{workspace}/events")),
        (Method::POST, wh.clone()),
        (Method::PATCH, format!("{wh}/wh_0000000000000000")),
    ];
    for (what, content_type, body, operator_status, public_status) in bad_bodies() {
        for (method, path) in &operator {
            let call = app.operator(method.clone(), path).body(body.clone());
            let call = if let Some(content_type) = content_type {
                call.header("content-type", content_type)
            } else {
                call
            };
            let answer = call.send();
            assert_eq!(answer.status, operator_status, "{what} {method} {path}: {}", answer.text());
            assert!(answer.pointers().is_empty(), "no field is to blame");
        }
        for (method, path) in
            [(Method::POST, "/v1/webhooks"), (Method::PATCH, "/v1/webhooks/wh_0000000000000000")]
        {
            let call = app.public(method.clone(), path).key(&key).body(body.clone());
            let call = if let Some(content_type) = content_type {
                call.header("content-type", content_type)
            } else {
                call
            };
            let answer = call.send();
            assert_eq!(answer.status, public_status, "{what} {method} {path}: {}", answer.text());
            assert!(answer.json().get("validationErrors").is_none(), "no field is to blame");
        }
    }
}

#[test]
fn a_body_that_announces_too_much_is_refused_unread() {
    let app = App::new();
    let call = app.operator(Method::POST, "/v1/workspaces").header("content-length", "99999999999");
    call.raw("application/json", "{}").send().expect(413);
}

#[test]
fn a_failing_store_is_unavailable_and_shows_nothing_of_its_trouble() {
    use signalpost_store::Ledger;
    use signalpost_store::testing::block_on::block_on;
    let app = App::new();
    let key = app.key(&app.workspace("sigmamind"));
    block_on(app.store.close()).unwrap();
    let operator = app.operator(Method::GET, "/v1/workspaces").send();
    assert_eq!(operator.expect(503).header("retry-after"), "1");
    assert!(!operator.text().contains("store cannot be used"), "{}", operator.text());
    let public = app.public(Method::GET, "/v1/webhooks").key(&key).send();
    assert_eq!(public.expect(503).json()["error"], "Service Unavailable");
    assert!(public.json().get("validationErrors").is_none());
}
