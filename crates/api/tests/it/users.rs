//! Users as the operator makes them, over a made-up dialect with a login.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::{Dialect, built_in_dialects};
use signalpost_core::profile::{IdForm, LoginRule};
use signalpost_core::secret::Secret;
use signalpost_store::testing::block_on::block_on;

use crate::app::{Answer, App, NOW_MS};

/// The native dialect under this name, with users.
fn guild(name: &str, user_id: IdForm) -> Dialect {
    let mut dialect = built_in_dialects().swap_remove(0);
    dialect.name = name.to_owned();
    dialect.profile.name = name.to_owned();
    dialect.profile.scopes = ["read", "write", "delete"].map(str::to_owned).into();
    let session_lifetime = std::time::Duration::from_secs(336 * 3_600);
    dialect.profile.login = Some(LoginRule { user_id, key_bytes: 32, session_lifetime });
    dialect
}

fn app() -> App {
    let mut dialects = built_in_dialects();
    dialects.push(guild("guild", IdForm::Number));
    dialects.push(guild("club", IdForm::random("user_", 16)));
    App::with_dialects(dialects)
}

fn path(workspace: &str) -> String {
    format!("/v1/workspaces/{workspace}/credentials")
}

fn make(app: &App, workspace: &str, new: &Value) -> Answer {
    app.operator(Method::POST, &path(workspace)).json(new).send()
}

fn list(app: &App, workspace: &str) -> Vec<Value> {
    let listed = app.operator(Method::GET, &path(workspace)).send().expect(200).json();
    listed["data"].as_array().unwrap().clone()
}

/// Whether the session that an answer has opened is open.
fn is_open(app: &App, made: &Value) -> bool {
    let key = made["session_key"].as_str().unwrap().as_bytes();
    block_on(app.engine.authenticate_session("guild", &made["user_id"].to_string(), key)).is_ok()
}

fn logs_in(app: &App, username: &str, password: &str) -> bool {
    block_on(app.engine.login("guild", username, &Secret::from_text(password))).is_ok()
}

#[test]
fn a_credential_of_a_dialect_with_a_login_is_a_user_with_an_open_session() {
    let app = app();
    let workspace = app.workspace("guild");
    let answer = make(&app, &workspace, &json!({}));
    assert_eq!(answer.expect(201).header("cache-control"), "no-store");
    let made = answer.json();
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(made["user_id"], 1);
    assert_eq!(made["rights"], json!(["read", "write", "delete"]));
    assert_eq!((text("secret"), text("session_key").len()), (text("session_key"), 64));
    assert!(text("password").len() >= 20 && text("username").starts_with("user-"), "{made}");
    assert_eq!((&made["name"], &made["expires_at"]), (&json!(null), &json!(null)));
    assert_eq!(text("created_at"), "2026-05-05T10:06:46.150Z");
    assert_eq!(text("session_expires_at"), "2026-05-19T10:06:46.150Z", "336 hours later");
    assert!(is_open(&app, &made) && logs_in(&app, &text("username"), &text("password")));
    assert!(!is_open(&app, &made), "the login has ended it");

    let new = json!({"name": "Anna", "username": "anna@example.com", "password": "correct horse",
        "scopes": ["write", "read", "write"], "expires_at": "2026-05-06T00:00:00Z"});
    let anna = make(&app, &workspace, &new).expect(201).json();
    assert_eq!((&anna["user_id"], &anna["name"]), (&json!(2), &json!("Anna")));
    assert_eq!(anna["rights"], json!(["read", "write"]));
    assert_eq!(anna["password"], "correct horse");
    assert_eq!(anna["session_expires_at"], anna["expires_at"], "no session outlives the last right");
    let listed = list(&app, &workspace);
    assert_eq!(listed.len(), 2);
    let shown = json!({"id": anna["id"], "user_id": 2, "username": "anna@example.com", "name": "Anna",
        "rights": ["read", "write"], "created_at": anna["created_at"], "expires_at": anna["expires_at"]});
    assert_eq!(listed[1], shown, "and nothing that opens anything");

    let club = make(&app, &app.workspace("club"), &json!({})).expect(201).text_at("/user_id");
    assert!(club.starts_with("user_"), "{club}");
}

#[test]
fn a_user_may_have_rights_on_several_workspaces_and_loses_them_one_by_one() {
    let app = app();
    let (one, two) = (app.workspace("guild"), app.workspace("guild"));
    let made = make(&app, &one, &json!({"username": "anna", "rights": ["read"]})).expect(201).json();
    for (user, status) in [(json!(1), 201), (json!("1"), 201), (json!(7), 422), (json!("x"), 422)] {
        let new = json!({"user_id": user, "rights": ["delete"]});
        let granted = make(&app, &two, &new);
        granted.expect(status);
        if status == 422 {
            assert_eq!(granted.pointers(), ["/user_id"]);
            continue;
        }
        let granted = granted.json();
        assert_eq!((&granted["user_id"], &granted["username"]), (&json!(1), &json!("anna")));
        for hidden in ["secret", "session_key", "password", "session_expires_at"] {
            assert_eq!(granted.get(hidden), None, "{granted}");
        }
    }
    assert_eq!((list(&app, &one).len(), list(&app, &two).len()), (1, 2), "they add up");
    let revoke = |workspace: &str, held: &Value| {
        let path = format!("{}/{}", path(workspace), held["id"].as_str().unwrap());
        app.operator(Method::DELETE, &path).send()
    };
    revoke(&two, &made).expect(404);
    revoke(&one, &made).expect(204);
    revoke(&one, &made).expect(404);
    for held in list(&app, &two) {
        assert!(is_open(&app, &made));
        revoke(&two, &held).expect(204);
    }
    assert!(!is_open(&app, &made) && !logs_in(&app, "anna", made["password"].as_str().unwrap()));
    assert_eq!(make(&app, &one, &json!({"username": "anna"})).expect(201).json()["user_id"], 2);
}

#[test]
fn bad_users_are_refused_at_the_place_of_the_fault() {
    let app = app();
    let workspace = app.workspace("guild");
    make(&app, &workspace, &json!({"username": "anna"})).expect(201);
    assert_eq!(make(&app, &workspace, &json!({"username": "anna"})).expect(409).text_at("/code"), "conflict");
    for (new, pointers) in [
        (json!({"username": ""}), vec!["/username"]),
        (json!({"username": " a"}), vec!["/username"]),
        (json!({"username": "a\u{0}"}), vec!["/username"]),
        (json!({"username": "n".repeat(129)}), vec!["/username"]),
        (json!({"username": 7}), vec!["/username"]),
        (json!({"password": "short"}), vec!["/password"]),
        (json!({"password": "p".repeat(257)}), vec!["/password"]),
        (json!({"rights": ["root"]}), vec!["/rights"]),
        (json!({"scopes": ["root"]}), vec!["/scopes"]),
        (json!({"rights": []}), vec!["/rights"]),
        (json!({"rights": ["read"], "scopes": ["read"]}), vec!["/scopes"]),
        (json!({"rights": "read"}), vec!["/rights"]),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), vec!["/expires_at"]),
        (json!({"expires_at": "soon"}), vec!["/expires_at"]),
        (json!({"user_id": [1]}), vec!["/user_id"]),
        (json!({"user_id": 1.5}), vec!["/user_id"]),
        (json!({"user_id": 1, "username": "b", "password": "long enough"}), vec!["/username", "/password"]),
        (json!({"admin": true}), vec!["/admin"]),
        (json!({"name": "", "username": "", "password": ""}), vec!["/name", "/username", "/password"]),
    ] {
        let answer = make(&app, &workspace, &new);
        assert_eq!(answer.expect(422).pointers(), pointers, "{new}");
    }
    assert_eq!(list(&app, &workspace).len(), 1);
}

#[test]
fn a_dialect_without_a_login_has_no_users() {
    let app = app();
    for dialect in ["sigmamind", "opentrain"] {
        let workspace = app.workspace(dialect);
        for name in ["rights", "username", "password", "user_id"] {
            let answer = make(&app, &workspace, &json!({ name: "7" }));
            assert_eq!(answer.expect(422).pointers(), [format!("/{name}")]);
            assert!(answer.text().contains("no users who log in"), "{}", answer.text());
        }
        let nulls = json!({"rights": null, "username": null, "password": null, "user_id": null});
        make(&app, &workspace, &nulls).expect(201);
        make(&app, &workspace, &json!({})).expect(201);
    }
    make(&app, &app.workspace("native"), &json!({})).expect(409);
}

#[test]
fn a_user_is_made_once_for_a_key() {
    let app = app();
    let (one, two) = (app.workspace("guild"), app.workspace("guild"));
    let keyed = |workspace: &str, key: &str, new: &Value| {
        app.operator(Method::POST, &path(workspace)).header("idempotency-key", key).json(new).send()
    };
    let first = keyed(&one, "a", &json!({"username": "anna"}));
    let hashed = app.work.done();
    let again = keyed(&one, "a", &json!({"username": "anna"}));
    assert_eq!(app.work.done(), hashed, "no password is hashed for what is answered from what was kept");
    assert_eq!((again.expect(201).text(), again.header("idempotency-replayed")), (first.text(), "true"));
    keyed(&one, "a", &json!({"username": "bert"})).expect(422);
    assert_eq!(list(&app, &one).len(), 1);
    let granted = keyed(&two, "b", &json!({"user_id": 1}));
    assert_eq!(keyed(&two, "b", &json!({"user_id": 1})).expect(201).text(), granted.text());
    assert_eq!(list(&app, &two).len(), 1);
}

#[test]
fn a_key_that_is_bound_to_a_workspace_knows_of_its_users_alone() {
    let app = app();
    let (own, other) = (app.workspace("guild"), app.workspace("guild"));
    let (_, key) = app.minted(&json!({"scopes": ["admin"], "workspace": own}));
    let bound = |new: &Value| app.with_key(&key, Method::POST, &path(&own)).json(new).send();
    let mine = bound(&json!({"username": "mine", "rights": ["read"]})).expect(201).json();
    let theirs = make(&app, &other, &json!({"username": "theirs"})).expect(201).json();
    bound(&json!({"user_id": mine["user_id"], "rights": ["write"]})).expect(201);
    let hidden = bound(&json!({"user_id": theirs["user_id"]}));
    assert_eq!(hidden.expect(422).text(), {
        let nobody = bound(&json!({"user_id": 99}));
        nobody.text().replace(&nobody.text_at("/request_id"), &hidden.text_at("/request_id"))
    });
    app.with_key(&key, Method::GET, &path(&other)).send().expect(404);
}

/// Secrets are in the answer that makes them and in no other; so is what was made in its time.
#[test]
fn nothing_of_a_password_is_kept_in_the_clear() {
    let app = app();
    let workspace = app.workspace("guild");
    let made =
        make(&app, &workspace, &json!({"username": "anna", "password": "canary-3f9a"})).expect(201).json();
    let account = block_on(signalpost_store::Catalog::account(&app.store, "guild".into(), "anna".into()));
    let account = account.unwrap().unwrap();
    assert!(account.password.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!format!("{account:?}").contains("argon2") && !account.password.as_phc().contains("canary"));
    assert_eq!(account.user.created_at.as_ms(), NOW_MS);
    assert!(is_open(&app, &made) && logs_in(&app, "anna", "canary-3f9a") && !logs_in(&app, "anna", "canary"));
}
