//! What Spaaza's calls refuse, in which order and in which words.

use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::spaaza::{BASE, Customer, FORM, Session, as_user, granted, id_at};

/// Each call with its method.
const CALLS: [(&str, &str); 9] = [
    ("POST", "add-webhook"),
    ("PUT", "alter-webhook"),
    ("GET", "get-webhook"),
    ("GET", "get-webhooks"),
    ("DELETE", "delete-webhook"),
    ("POST", "add-webhook-signature"),
    ("GET", "get-webhook-signature"),
    ("GET", "get-webhook-signatures"),
    ("DELETE", "delete-webhook-signature"),
];

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}

/// Code and name of an error that is one.
#[track_caller]
fn fault(answer: &Answer, status: u16) -> (u64, String) {
    let body = answer.expect(status).json();
    assert_eq!(body["result"], json!({"code": 2, "status": "error"}));
    assert!(body.get("errors").is_none() && body.as_object().unwrap().len() == 2, "{body}");
    assert!(body["error"]["description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    (body["error"]["code"].as_u64().unwrap(), answer.text_at("/error/name"))
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: u64, name: &str) {
    assert_eq!(fault(answer, status), (code, name.to_owned()), "{}", answer.text());
}

#[test]
fn a_method_that_a_call_does_not_have_is_told_to_anybody() {
    let app = App::new();
    for (has, call) in CALLS {
        for asked in ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(|asked| *asked != has) {
            let answer = app.public(method(asked), &format!("{BASE}/{call}")).send();
            let (code, name) = fault(&answer, 405);
            assert_eq!(name, format!("http_request_method_non_{has}_not_allowed"), "{asked} {call}");
            assert_eq!(code == 19, has == "DELETE", "{code}");
            let allowed = answer.header("allow");
            assert!(allowed == has || (has == "GET" && allowed == "GET,HEAD"), "{allowed}");
        }
    }
    refused(
        &app.public(Method::GET, "/auth/login").send(),
        405,
        90_003,
        "http_request_method_non_POST_not_allowed",
    );
}

#[test]
fn each_path_has_its_own_calls() {
    let customer = Customer::new();
    for path in [
        "/internal/get-webhook-events",
        "/internal/get-webhook/1",
        "/internal/",
        "/internal",
        "/internal/login",
        "/auth/get-webhooks",
        "/auth/session",
        "/auth/",
    ] {
        let answer = as_user(&customer.session, customer.app.public(Method::GET, path)).send();
        refused(&answer, 404, 90_005, "call_not_found");
        refused(&customer.app.public(Method::POST, path).send(), 404, 90_005, "call_not_found");
    }
}

#[test]
fn what_is_no_session_is_refused_by_every_call_before_its_parameters() {
    let customer = Customer::new();
    let other = customer.user_with(&["read"]);
    let Session { user, key } = &customer.session;
    let (id, sk) = ("x-spaaza-session-user-id", "x-spaaza-session-key");
    let none: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![(id, user)],
        vec![(sk, key)],
        vec![(id, user), (sk, "")],
        vec![(id, user), (sk, &other.key)],
        vec![(id, &other.user), (sk, key)],
        vec![(id, "nobody"), (sk, key)],
        vec![(id, "999999"), (sk, key)],
        vec![(id, user), (sk, &key[1..])],
        vec![(id, user), (sk, key), ("session-key", &other.key)],
        vec![("authorization", "Bearer x")],
        vec![("x-api-key", key)],
    ];
    for headers in &none {
        let mut call =
            customer.app.public(Method::GET, &format!("{BASE}/get-webhooks?chain_id={}", customer.chain));
        for (name, value) in headers {
            call = call.header(name, value);
        }
        refused(&call.send(), 401, 6, "no_valid_session");
    }
    for (has, call) in CALLS {
        let call = customer.app.public(method(has), &format!("{BASE}/{call}?id=x")).raw(FORM, "nonsense=%");
        refused(&call.send(), 401, 6, "no_valid_session");
    }
    let legacy =
        customer.app.public(Method::GET, &format!("{BASE}/get-webhooks?chain_id={}", customer.chain));
    legacy.header("session-user-id", user).header("session-key", key).send().expect(200);
    let zero = format!("0{user}");
    let padded =
        customer.app.public(Method::GET, &format!("{BASE}/get-webhooks?chain_id={}", customer.chain));
    refused(&padded.header(id, &zero).header(sk, key).send(), 401, 6, "no_valid_session");
}

#[test]
fn a_right_that_is_taken_away_is_gone_at_once() {
    let customer = Customer::new();
    let other = customer.other_chain();
    let path = format!("/v1/workspaces/{}/credentials", customer.chain);
    let listed = customer.app.operator(Method::GET, &path).send().json();
    for right in listed["data"].as_array().unwrap() {
        let path = format!("{path}/{}", right["id"].as_str().unwrap());
        customer.app.operator(Method::DELETE, &path).send().expect(204);
    }
    let denied = customer.get("get-webhooks", &format!("chain_id={}", customer.chain));
    refused(&denied, 403, 68, "permission_denied_or_non_existent");
    customer.get("get-webhooks", &format!("chain_id={other}")).expect(200);
}

#[test]
fn each_call_takes_its_right_and_those_above_have_it() {
    let customer = Customer::new();
    let (signature, _) = customer.signature();
    let webhook = customer.added();
    let chain = &customer.chain;
    let new = format!("chain_id={chain}&event_name=shopper.created&type=https&url=https%3A%2F%2Fexample.com");
    // Each right in turn, weakest first, so that what ends something comes last.
    let needs = [
        ("GET", "get-webhook", format!("id={webhook}"), 0),
        ("GET", "get-webhooks", format!("chain_id={chain}"), 0),
        ("GET", "get-webhook-signature", format!("id={signature}"), 0),
        ("GET", "get-webhook-signatures", format!("chain_id={chain}"), 0),
        ("POST", "add-webhook", new, 1),
        ("PUT", "alter-webhook", format!("id={webhook}&chain_id={chain}&active=1"), 1),
        ("POST", "add-webhook-signature", format!("chain_id={chain}"), 1),
        ("DELETE", "delete-webhook", format!("id={webhook}&chain_id={chain}"), 1),
        ("DELETE", "delete-webhook-signature", format!("id={signature}"), 2),
    ];
    let stranger = {
        let other = customer.app.workspace("spaaza");
        crate::spaaza::session(&customer.app, &other, &json!({}))
    };
    let users =
        [customer.user_with(&["read"]), customer.user_with(&["write"]), customer.user_with(&["delete"])];
    for (has, call, parameters, needed) in needs {
        let send = |session: &Session| {
            let path = format!("{BASE}/{call}?{parameters}");
            as_user(session, customer.app.public(method(has), &path)).send()
        };
        let denied = "permission_denied_or_non_existent";
        refused(&send(&stranger), 403, 68, denied);
        for weaker in &users[..needed] {
            refused(&send(weaker), 403, 68, denied);
        }
        send(&users[needed]).expect(200);
    }
}

#[test]
fn what_is_wrong_is_told_in_the_documented_order() {
    let customer = Customer::new();
    let webhook = customer.added();
    let other = customer.other_chain();
    let foreign = {
        let strangers = customer.app.workspace("spaaza");
        granted(&customer.app, &strangers, &json!({})).expect(201);
        strangers
    };
    let delete = |form: &str| customer.form(Method::DELETE, "delete-webhook", form);
    refused(&delete(""), 400, 3, "http_vars_missing");
    refused(&delete(&format!("id=x&chain_id={foreign}")), 400, 90_001, "invalid_parameter");
    refused(
        &delete(&format!("id={webhook}&chain_id={foreign}")),
        403,
        68,
        "permission_denied_or_non_existent",
    );
    refused(&delete("id=999999&chain_id=999999"), 403, 68, "permission_denied_or_non_existent");
    refused(&delete(&format!("id=999999&chain_id={other}")), 400, 495, "webhook_not_found");
    refused(&delete(&format!("id={webhook}&chain_id={other}")), 400, 405, "entity_mismatch");
    let get = |call: &str, id: u64| customer.get(call, &format!("id={id}"));
    refused(&get("get-webhook", 999_999), 400, 495, "webhook_not_found");
    refused(&get("get-webhook-signature", 999_999), 404, 528, "webhook_signature_not_found");
    refused(&get("get-webhook", 0), 400, 495, "webhook_not_found");

    let made = customer.form(Method::POST, "add-webhook-signature", &format!("chain_id={other}"));
    let signature = id_at(made.expect(200), "/results/webhook_signature/id");
    refused(
        &customer.alter(webhook, &format!("webhook_signature_id={signature}")),
        400,
        405,
        "entity_mismatch",
    );
    let unknown = customer.alter(webhook, "webhook_signature_id=999999");
    refused(&unknown, 404, 528, "webhook_signature_not_found");
    refused(
        &customer.add(|body| body["webhook_signature_id"] = json!(signature)),
        400,
        405,
        "entity_mismatch",
    );
    let unknown = customer.add(|body| body["webhook_signature_id"] = json!(999_999));
    refused(&unknown, 404, 528, "webhook_signature_not_found");
    assert!(unknown.text_at("/error/description").contains("webhook_signature_id"));
    assert_eq!(customer.webhook(webhook)["webhook_signature"], json!(null));
}

#[test]
fn missing_parameters_are_all_named() {
    let customer = Customer::new();
    let described = |answer: &Answer| {
        refused(answer, 400, 3, "http_vars_missing");
        answer.text_at("/error/description")
    };
    let none = described(&customer.call(Method::POST, "add-webhook").send());
    for name in ["chain_id", "event_name", "type", "url"] {
        assert!(none.contains(&format!("{name}: ")), "{none}");
        for empty in [json!(null), json!("")] {
            let said = described(&customer.add(|body| body[name] = empty.clone()));
            assert_eq!(said, format!("{name}: is required"));
        }
    }
    let said = described(&customer.add(|body| {
        drop(body.as_object_mut().unwrap().remove("url"));
        body["chain_id"] = json!("x");
    }));
    assert_eq!(said, "url: is required", "what is missing comes before what is wrong");
    described(&customer.call(Method::POST, "add-webhook-signature").send());
    for call in ["get-webhook", "get-webhooks", "get-webhook-signature", "get-webhook-signatures"] {
        described(&customer.call(Method::GET, call).send());
    }
}

#[test]
fn unusable_parameters_are_named() {
    let customer = Customer::new();
    let webhook = customer.added();
    let table: Vec<(&str, Vec<Value>)> = vec![
        (
            "chain_id",
            vec![json!("x"), json!("-1"), json!(1.5), json!("9223372036854775808"), json!([1]), json!(true)],
        ),
        (
            "event_name",
            vec![json!("shopper.nothing"), json!("a".repeat(129)), json!("Shopper.Opted-In"), json!(7)],
        ),
        ("type", vec![json!("klaviyo"), json!("HTTPS"), json!("http"), json!("a".repeat(129)), json!(1)]),
        (
            "url",
            vec![
                json!("example.com"),
                json!("https://"),
                json!("http://example.com/"),
                json!("https://u:p@example.com/"),
                json!(format!("https://example.com/{}", "a".repeat(981))),
                json!("https://example.com/a b"),
                json!({}),
            ],
        ),
        (
            "filter",
            vec![
                json!("a".repeat(2_049)),
                json!("data.a >"),
                json!("((("),
                json!("1 + 1"),
                json!(7),
                json!("true\0"),
            ],
        ),
        ("active", vec![json!("TRUE"), json!("yes"), json!(2), json!("2"), json!([])]),
        (
            "identifier_key",
            vec![json!("a".repeat(129)), json!("a:b"), json!("a\nb"), json!("a\0"), json!({})],
        ),
        ("identifier_secret", vec![json!("a".repeat(257)), json!("a\nb"), json!(true)]),
        ("webhook_signature_id", vec![json!("x"), json!(-1), json!("9223372036854775808")]),
        ("payload_spaaza_api_version", vec![json!("latest"), json!("1.4"), json!("v1.4.8"), json!(1.4)]),
        ("campaign_id", vec![json!("x"), json!(1.5), json!("9223372036854775808")]),
    ];
    let chain: u64 = customer.chain.parse().unwrap();
    for (name, values) in table {
        for value in values {
            let added = customer.add(|body| body[name] = value.clone());
            let mut change = json!({"id": webhook, "chain_id": chain});
            change[name] = value.clone();
            for answer in [added, customer.json(Method::PUT, "alter-webhook", &change)] {
                refused(&answer, 400, 90_001, "invalid_parameter");
                let said = answer.text_at("/error/description");
                assert!(said.starts_with(&format!("{name}: ")), "{name} {value}: {said}");
            }
        }
    }
    for (name, empty) in [("url", json!("")), ("event_name", json!(null))] {
        let mut change = json!({"id": webhook, "chain_id": chain});
        change[name] = empty;
        refused(&customer.json(Method::PUT, "alter-webhook", &change), 400, 90_001, "invalid_parameter");
    }
    let list = customer.get("get-webhooks", &format!("chain_id={chain}&exclude_inactive=TRUE"));
    refused(&list, 400, 90_001, "invalid_parameter");
    assert_eq!(customer.webhook(webhook)["url"], "https://example.com/webhooks/spaaza");
}

#[test]
fn the_longest_that_may_be_is_taken() {
    let customer = Customer::new();
    let made = customer.add(|body| {
        body["url"] = json!(format!("https://example.com/{}", "a".repeat(980)));
        body["identifier_key"] = json!("ü".repeat(128));
        body["identifier_secret"] = json!("🧀".repeat(256));
        body["campaign_id"] = json!(i64::MAX);
    });
    assert_eq!(made.expect(200).json()["results"]["webhook"]["campaign_id"], json!(i64::MAX));
    let opened = Customer::of(App::with_opened("10.1.0.0/16"));
    for (url, status) in
        [("http://10.1.2.3/", 200), ("http://localhost:3000/x", 200), ("http://10.2.0.1/", 400)]
    {
        opened.add(|body| body["url"] = json!(url)).expect(status);
    }
}

#[test]
fn bodies_that_cannot_be_read_are_refused() {
    let customer = Customer::new();
    let send = |media_type: Option<&str>, body: &str| {
        let call = customer.call(Method::PUT, "alter-webhook");
        match media_type {
            Some(media_type) => call.raw(media_type, body.to_owned()).send(),
            None => call.body(body.to_owned()).send(),
        }
    };
    for (media_type, body) in
        [(None, "id=1"), (Some("multipart/form-data; boundary=x"), "--x--"), (Some("text/plain"), "id=1")]
    {
        refused(&send(media_type, body), 415, 90_007, "content_type_not_supported");
    }
    for body in ["{", "[]", "null", "7", "{} {}", "{\"id\":1,\"id\":1}"] {
        refused(&send(Some("application/json"), body), 400, 90_006, "request_not_readable");
    }
    for body in ["id=1&id=2", "id=%zz", "id=%ff"] {
        refused(&send(Some(FORM), body), 400, 90_001, "invalid_parameter");
    }
    refused(&customer.get("get-webhook", "id=1&id=1"), 400, 90_001, "invalid_parameter");
    let long = format!("id=1&filter={}", "x".repeat(70_000));
    refused(&send(Some(FORM), &long), 413, 90_008, "request_too_large");
    refused(&send(None, ""), 400, 3, "http_vars_missing");
}

#[test]
fn callers_of_old_versions_get_a_list_of_errors() {
    let customer = Customer::new();
    let asked = |version: &str| {
        customer.call(Method::GET, "get-webhook?id=999999").header("x-spaaza-api-version", version).send()
    };
    for old in ["1.3.9", "0.9.0"] {
        let answer = asked(old);
        let body = answer.expect(400).json();
        assert!(body.get("error").is_none(), "{body}");
        let errors = body["errors"].as_array().unwrap();
        assert_eq!(
            (errors.len(), &errors[0]["code"], &errors[0]["name"]),
            (1, &json!(495), &json!("webhook_not_found"))
        );
    }
    for new in ["1.4.0", "1.10.0", "2.0.0", "latest", "1.4.x"] {
        refused(&asked(new), 400, 495, "webhook_not_found");
    }
    let strangers = customer.app.public(Method::PUT, &format!("{BASE}/get-webhook"));
    let body = strangers.header("X-SPAAZA-API-version", "1.3.0").send().expect(405).json();
    assert_eq!(body["errors"][0]["name"], "http_request_method_non_GET_not_allowed");
}

#[test]
fn wrong_passwords_are_one_answer_and_not_for_ever() {
    let app = App::new();
    let chain = app.workspace("spaaza");
    let new = json!({"username": "ann", "password": "correct horse"});
    granted(&app, &chain, &new).expect(201);
    let login = |form: &str| app.public(Method::POST, "/auth/login").raw(FORM, form.to_owned()).send();
    for wrong in [
        "username=ann&password=wrong",
        "username=nobody&password=wrong",
        "username=ann&password=correct+hors",
    ] {
        refused(&login(wrong), 401, 5, "password_error_or_non_existent");
    }
    for missing in ["", "username=ann", "password=x", "username=ann&password="] {
        refused(&login(missing), 400, 3, "http_vars_missing");
    }
    let in_path = app.public(Method::POST, "/auth/login?username=ann&password=correct+horse").send();
    refused(&in_path, 400, 3, "http_vars_missing");
    login("username=ann&password=correct+horse").expect(200);
    let turned = (0..50).map(|_| login("username=ann&password=wrong")).find(|answer| answer.status == 429);
    let turned = turned.expect("a guesser is turned away at last");
    refused(&turned, 429, 90_010, "too_many_requests");
    assert!(turned.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    login("username=ann&password=correct+horse").expect(429);
}

#[test]
fn logins_that_cannot_be_sent_are_told_with_the_parameters() {
    let customer = Customer::new();
    for (name, value) in
        [("identifier_key", "a%3Ab"), ("identifier_key", "a%0A"), ("identifier_secret", "a%0Ab")]
    {
        let form = format!(
            "id=999999&chain_id=999999&event_name=shopper.created&type=https&url=https%3A%2F%2Fa.b&{name}={value}"
        );
        for (asked, call) in [(Method::POST, "add-webhook"), (Method::PUT, "alter-webhook")] {
            let answer = customer.form(asked, call, &form);
            refused(&answer, 400, 90_001, "invalid_parameter");
            assert!(answer.text_at("/error/description").starts_with(&format!("{name}: ")));
        }
    }
}

#[test]
fn a_url_is_demanded_of_the_one_type_that_has_one() {
    let customer = Customer::new();
    let start = format!("chain_id={}&event_name=shopper.created", customer.chain);
    for kind in ["mandrill".to_owned(), "a".repeat(128), "a".repeat(129)] {
        let answer = customer.form(Method::POST, "add-webhook", &format!("{start}&type={kind}"));
        refused(&answer, 400, 90_001, "invalid_parameter");
        let said = answer.text_at("/error/description");
        assert!(said.starts_with("type: must be "), "{said}");
        assert_eq!(said.contains("128"), kind.len() > 128, "{said}");
    }
    for kind in ["&type=https", "&type=", ""] {
        let answer = customer.form(Method::POST, "add-webhook", &format!("{start}{kind}"));
        refused(&answer, 400, 3, "http_vars_missing");
        assert!(answer.text_at("/error/description").contains("url: is required"));
    }
}

#[test]
fn a_call_without_a_body_may_say_any_type() {
    let customer = Customer::new();
    let (id, chain) = (customer.added(), &customer.chain);
    let send = |asked, call: String| customer.call(asked, &call);
    for media_type in ["text/plain", "multipart/form-data; boundary=x"] {
        let got = send(Method::GET, format!("get-webhook?id={id}"));
        got.header("content-type", media_type).send().expect(200);
    }
    let deleted = send(Method::DELETE, format!("delete-webhook?id={id}&chain_id={chain}"));
    deleted.header("content-type", "multipart/form-data; boundary=x").send().expect(200);
}
