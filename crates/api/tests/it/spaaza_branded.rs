//! Spaaza's shape under another product's names.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::dialect::check_base_paths;
use signalpost_api::{Dialect, ShapeValues, built_in_shapes};

use crate::app::App;
use crate::spaaza::{FORM, session};

fn branded(changes: Value) -> Dialect {
    let shape = built_in_shapes().into_iter().find(|shape| shape.name == "spaaza").unwrap();
    let changes: ShapeValues = changes.as_object().cloned().unwrap();
    shape.dialect(&changes).unwrap()
}

fn loyal() -> Dialect {
    branded(json!({
        "name": "loyal", "base_path": "/loyal/calls", "auth_path": "/loyal/login", "header_prefix": "X-Loyal-",
        "user_agent": "Loyal/1", "events": ["card.used", {"type": "till.closed", "envelope": false}],
        "payload_version": "2.0.0", "session_hours": 2, "webhooks_max": 1, "retry_schedule_s": [1],
    }))
}

#[test]
fn a_brand_answers_under_its_own_names_alone() {
    let app = App::with_dialects(vec![loyal()]);
    let chain = app.workspace("loyal");
    let user = session(&app, &chain, &json!({"username": "ann", "password": "correct horse"}));
    let call = |prefix: &str, method: Method, path: &str| {
        let call = app.public(method, path);
        call.header(&format!("{prefix}session-user-id"), &user.user)
            .header(&format!("{prefix}session-key"), &user.key)
    };
    let form = format!("chain_id={chain}&event_name=card.used&type=https&url=https%3A%2F%2Fexample.com");
    let made = call("x-loyal-", Method::POST, "/loyal/calls/add-webhook").raw(FORM, form.clone()).send();
    let webhook = made.expect(200).json()["results"]["webhook"].clone();
    assert_eq!(
        (&webhook["event_name"], &webhook["payload_spaaza_api_version"]),
        (&json!("card.used"), &json!("2.0.0"))
    );
    let second = call("x-loyal-", Method::POST, "/loyal/calls/add-webhook").raw(FORM, form.clone()).send();
    assert_eq!(second.expect(409).json()["error"]["name"], "limit_reached");
    let unknown = form.replace("card.used", "shopper.created");
    call("x-loyal-", Method::POST, "/loyal/calls/add-webhook").raw(FORM, unknown).send().expect(400);
    let list = format!("/loyal/calls/get-webhooks?chain_id={chain}");
    call("x-spaaza-", Method::GET, &list).send().expect(401);
    app.public(Method::GET, "/internal/get-webhooks").send().expect(404);
    let login = app
        .public(Method::POST, "/loyal/login/login")
        .raw(FORM, "username=ann&password=correct+horse")
        .send();
    let info = login.expect(200).json()["results"]["session_info"].clone();
    assert_eq!(
        (&info["session_key_validity"], &info["session_expires_date"]),
        (&json!("2"), &json!("2026-05-05 12:06:46"))
    );

    let profile = loyal().profile;
    assert_eq!(&*profile.delivery.signature.header, "x-loyal-hmac-sha256");
    assert!(profile.check_header_name("X-Loyal-Anything").is_err());
    let bare: Vec<bool> = profile.catalogue.unwrap().iter().map(|kind| kind.body.is_some()).collect();
    assert_eq!(bare, [false, true]);
}

#[test]
fn sessions_of_one_instance_open_nothing_of_another() {
    let app = App::with_dialects(vec![branded(json!({})), loyal()]);
    let (ours, theirs) = (app.workspace("spaaza"), app.workspace("loyal"));
    let user = session(&app, &ours, &json!({"username": "ann", "password": "correct horse"}));
    let list = format!("/loyal/calls/get-webhooks?chain_id={theirs}");
    let call = app.public(Method::GET, &list);
    call.header("x-loyal-session-user-id", &user.user)
        .header("x-loyal-session-key", &user.key)
        .send()
        .expect(401);
    let login = app
        .public(Method::POST, "/loyal/login/login")
        .raw(FORM, "username=ann&password=correct+horse")
        .send();
    login.expect(401);
}

#[test]
fn both_paths_of_a_dialect_are_its_own() {
    let overlapping = [
        json!({"auth_path": "/internal"}),
        json!({"auth_path": "/internal/auth"}),
        json!({"auth_path": "/a", "base_path": "/a/b"}),
    ];
    for changes in overlapping {
        let problem = check_base_paths(&[branded(changes)]).unwrap_err();
        assert!(problem.contains("overlap"), "{problem}");
    }
    let bad = check_base_paths(&[branded(json!({"auth_path": "auth"}))]).unwrap_err();
    assert!(bad.contains("`auth` is not a base path"), "{bad}");
    let problem = check_base_paths(&[branded(json!({})), branded(json!({"name": "b", "base_path": "/b"}))])
        .unwrap_err();
    assert_eq!(problem, "`spaaza` at `/auth` and `b` at `/auth` overlap");
    assert_eq!(check_base_paths(&[branded(json!({})), loyal()]), Ok(()));
}
