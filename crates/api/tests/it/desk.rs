//! Those who operate, what they did, and the way of customers into the portal.

use http::Method;
use serde_json::{Value, json};
use signalpost_core::credential::CredentialHash;
use signalpost_core::root_key::RootKey;
use signalpost_store::testing::block_on::block_on;

use crate::app::{Answer, App, OPERATOR_KEY};

fn root() -> RootKey {
    RootKey::new(CredentialHash::of(OPERATOR_KEY.as_bytes()))
}

fn link(app: &App, workspace: &str, body: &Value) -> Answer {
    app.operator(Method::POST, &format!("/v1/workspaces/{workspace}/portal-links")).json(body).send()
}

/// The record, newest first: who, what, and what came of it.
fn record(app: &App, query: &str) -> Vec<[String; 3]> {
    let page = app.operator(Method::GET, &format!("/v1/audit{query}")).send().expect(200).json();
    let text = |row: &Value, at: &str| row.pointer(at).and_then(Value::as_str).unwrap_or("-").to_owned();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| [text(row, "/by/kind"), text(row, "/action"), text(row, "/result")]).collect()
}

fn entry(by: &str, action: &str, result: &str) -> [String; 3] {
    [by, action, result].map(str::to_owned)
}

#[test]
fn a_link_leads_a_customer_into_the_portal() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let made = link(&app, &workspace, &json!({"rights": "read", "name": "ann@example.com", "session_s": 60}));
    let token = made.expect(201).text_at("/token");
    assert_eq!(made.header("cache-control"), "no-store");
    assert_eq!(made.text_at("/url"), format!("https://hooks.example.com/portal/open?link={token}"));
    assert_eq!(made.text_at("/expires_at"), "2026-05-05T10:16:46.150Z");
    let opened = block_on(app.engine.open_portal(token.as_bytes())).unwrap();
    let visitor = block_on(app.engine.portal_visitor(opened.token.expose())).unwrap();
    assert_eq!(visitor.view.workspace.public_id, workspace);
    assert_eq!((visitor.name(), visitor.rights().manages()), ("ann@example.com", false));
    assert_eq!(opened.session.expires_at.ms_since(opened.session.created_at), 60_000);

    let plain = link(&app, &workspace, &json!({}));
    let opened = block_on(app.engine.open_portal(plain.expect(201).text_at("/token").as_bytes())).unwrap();
    assert!(opened.session.rights.manages() && opened.session.name.is_none());
    let created = entry("root", "portal_link.create", "done");
    assert_eq!(
        record(&app, &format!("?workspace={workspace}&action=portal_link")),
        [created.clone(), created]
    );
}

#[test]
fn what_is_wrong_with_a_link_is_said() {
    let app = App::new();
    let workspace = app.workspace("native");
    for (body, pointers) in [
        (json!({"rights": "write"}), &["/rights"][..]),
        (json!({"name": ""}), &["/name"]),
        (json!({"name": 7, "rights": 7}), &["/rights", "/name"]),
        (json!({"expires_in_s": 0}), &["/expires_in_s"]),
        (json!({"expires_in_s": 86_401}), &["/expires_in_s"]),
        (json!({"expires_in_s": u64::MAX}), &["/expires_in_s"]),
        (json!({"session_s": 28_801}), &["/session_s"]),
        (json!({"workspace": "x"}), &["/workspace"]),
    ] {
        assert_eq!(link(&app, &workspace, &body).expect(422).pointers(), pointers, "{body}");
    }
    link(&app, "ws_0000000000000000", &json!({})).expect(404);
}

#[test]
fn a_bound_key_lets_customers_into_its_own_workspace_alone() {
    let app = App::new();
    let (own, other) = (app.workspace("native"), app.workspace("native"));
    let (_, key) = app.minted(&json!({"scopes": ["admin"], "workspace": own}));
    let call = |method: Method, workspace: &str, what: &str| {
        let path = format!("/v1/workspaces/{workspace}/{what}");
        app.with_key(&key, method, &path).json(&json!({})).send().status.as_u16()
    };
    assert_eq!(call(Method::POST, &own, "portal-links"), 201);
    assert_eq!(call(Method::POST, &other, "portal-links"), 404);
    assert_eq!(call(Method::DELETE, &own, "portal-sessions"), 204);
    assert_eq!(call(Method::DELETE, &other, "portal-sessions"), 404);
}

#[test]
fn all_sessions_at_the_portal_are_ended() {
    let app = App::new();
    let (workspace, other) = (app.workspace("native"), app.workspace("native"));
    let tokens = [&workspace, &other].map(|workspace| link(&app, workspace, &json!({})).text_at("/token"));
    let open = |token: &String| block_on(app.engine.open_portal(token.as_bytes()));
    let [ended, kept] = [0, 1].map(|place| open(&tokens[place]).unwrap().token);
    let is_open =
        |token: &signalpost_core::secret::Secret| block_on(app.engine.portal_visitor(token.expose())).is_ok();
    assert!(is_open(&ended) && is_open(&kept));
    app.operator(Method::DELETE, &format!("/v1/workspaces/{workspace}/portal-sessions")).send().expect(204);
    assert!(!is_open(&ended) && is_open(&kept));
    assert!(open(&tokens[0]).is_err() && open(&tokens[1]).is_ok(), "nor does the link open it again");
    app.operator(Method::DELETE, "/v1/workspaces/none/portal-sessions").send().expect(404);
}

#[test]
fn operators_are_made_changed_listed_and_deleted() {
    let app = App::new();
    let make = |body: &Value| app.operator(Method::POST, "/v1/operators").json(body).send();
    let ann = make(&json!({"username": "ann", "role": "support"}));
    let (id, password) = (ann.expect(201).text_at("/id"), ann.text_at("/password"));
    assert_eq!(ann.header("cache-control"), "no-store");
    let own = "a password of their own";
    let bob = make(&json!({"username": "bob", "role": "viewer", "password": own}));
    assert_eq!(bob.expect(201).json().get("password"), None, "whoever has chosen it knows it");
    make(&json!({"username": "ann", "role": "viewer"})).expect(409);
    for (body, pointers) in [
        (json!({}), &["/username", "/role"][..]),
        (json!({"username": "", "role": "root"}), &["/role"]),
        (json!({"username": "cy", "role": "viewer", "password": "short"}), &["/password"]),
        (json!({"username": "cy", "role": "viewer", "id": "x"}), &["/id"]),
    ] {
        assert_eq!(make(&body).expect(422).pointers(), pointers, "{body}");
    }
    let shown = json!({
        "id": id, "username": "ann", "role": "support",
        "created_at": "2026-05-05T10:06:46.150Z", "updated_at": "2026-05-05T10:06:46.150Z"
    });
    let list =
        |query: &str| app.operator(Method::GET, &format!("/v1/operators{query}")).send().expect(200).json();
    assert_eq!(list("?limit=1")["data"], json!([shown]));
    let next = list("?limit=1")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(list(&format!("?limit=1&cursor={next}"))["data"][0]["username"], "bob");

    let sign_in = |name: &str, password: &str| {
        let password = signalpost_core::secret::Secret::from_text(password);
        block_on(app.engine.open_session_by_password(name, &password))
    };
    let session = sign_in("ann", &password).unwrap();
    let path = format!("/v1/operators/{id}");
    let change = |body: &Value| app.operator(Method::PATCH, &path).json(body).send();
    let renewed = change(&json!({"password": null, "role": "admin"}));
    let next = renewed.expect(200).text_at("/password");
    assert_eq!(renewed.text_at("/role"), "admin");
    assert!(block_on(app.engine.operator_visitor(session.token.expose(), &root())).is_err());
    assert!(sign_in("ann", &password).is_err() && sign_in("ann", &next).is_ok());
    assert_eq!(change(&json!({"role": "viewer"})).expect(200).json().get("password"), None);
    assert_eq!(change(&json!({"password": own})).expect(200).json().get("password"), None);
    assert!(sign_in("ann", own).is_ok());
    change(&json!({})).expect(422);
    assert_eq!(
        change(&json!({"role": null, "username": "x"})).expect(422).pointers(),
        ["/role", "/username"]
    );
    app.operator(Method::DELETE, &path).send().expect(204);
    for gone in [path.as_str(), "/v1/operators/opa_0000000000000000", "/v1/operators/x"] {
        app.operator(Method::DELETE, gone).send().expect(404);
        app.operator(Method::PATCH, gone).json(&json!({"role": "viewer"})).send().expect(404);
    }
    assert!(sign_in("ann", own).is_err());
    let done = ["operator.delete", "operator.update", "operator.create"];
    for action in done {
        let kept = record(&app, &format!("?action={action}&limit=100"));
        assert!(kept.contains(&entry("root", action, "done")), "{kept:?}");
    }
}

#[test]
fn who_is_signed_in_is_listed_and_signed_out() {
    let app = App::new();
    let workspace = app.workspace("native");
    let (key_id, key) = app.minted(&json!({"scopes": ["read"], "workspace": workspace, "name": "night"}));
    let by_key = block_on(app.engine.open_session_by_key(key.as_bytes(), &root())).unwrap();
    app.clock.advance_ms(1);
    let by_root = block_on(app.engine.open_session_by_key(OPERATOR_KEY.as_bytes(), &root())).unwrap();
    let list = |query: &str| {
        app.operator(Method::GET, &format!("/v1/operator-sessions{query}")).send().expect(200).json()
    };
    let all = list("");
    assert_eq!(all["data"][0]["id"], json!(by_root.session.id.to_public()), "newest first");
    assert_eq!(
        all["data"][1],
        json!({
            "id": by_key.session.id.to_public(), "opened_by": "key", "opener": key_id, "opener_name": "night",
            "role": "viewer", "workspace": workspace, "created_at": "2026-05-05T10:06:46.150Z",
            "expires_at": "2026-05-05T22:06:46.150Z"
        })
    );
    let next = list("?limit=1")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(list(&format!("?limit=1&cursor={next}"))["data"], json!([all["data"][1]]));
    let path = format!("/v1/operator-sessions/{}", by_key.session.id.to_public());
    app.operator(Method::DELETE, &path).send().expect(204);
    assert!(block_on(app.engine.operator_visitor(by_key.token.expose(), &root())).is_err());
    assert!(block_on(app.engine.operator_visitor(by_root.token.expose(), &root())).is_ok());
    for gone in [path.as_str(), "/v1/operator-sessions/x"] {
        app.operator(Method::DELETE, gone).send().expect(404);
    }
}

#[test]
fn the_record_is_filtered_and_read_in_pages() {
    let app = App::new();
    let workspace = app.workspace("native");
    let (key_id, key) = app.minted(&json!({"scopes": ["admin"], "name": "deploys"}));
    let patch = json!({"name": "Renamed"});
    let path = format!("/v1/workspaces/{workspace}");
    app.with_key(&key, Method::PATCH, &path).json(&patch).send().expect(200);
    let all = [
        entry("key", "workspace.update", "done"),
        entry("root", "key.create", "done"),
        entry("root", "workspace.create", "done"),
    ];
    assert_eq!(record(&app, ""), all);
    assert_eq!(record(&app, &format!("?by={key_id}")), all[..1]);
    assert_eq!(record(&app, "?by=root"), all[1..]);
    assert_eq!(record(&app, "?action=key"), all[1..2]);
    assert_eq!(record(&app, &format!("?workspace={workspace}")), all[..1]);
    let page = app.operator(Method::GET, "/v1/audit?limit=1").send().expect(200).json();
    assert_eq!(page["data"][0]["by"], json!({"kind": "key", "id": key_id, "name": "deploys"}));
    assert_eq!(page["data"][0]["object"], json!(path));
    assert_eq!(page["data"][0]["status"], json!(200));
    let next = page["next_cursor"].as_str().unwrap();
    assert_eq!(record(&app, &format!("?limit=2&cursor={next}")), all[1..]);
    for wrong in ["?by=nobody", "?by=ws_1", "?cursor=x", "?nonsense=1"] {
        app.operator(Method::GET, &format!("/v1/audit{wrong}")).send().expect(422);
    }
}

/// Also to a key that may do everything else there.
#[test]
fn a_bound_key_is_told_nothing_of_those_who_operate() {
    let app = App::new();
    let workspace = app.workspace("native");
    let (_, bound) = app.minted(&json!({"scopes": ["admin"], "workspace": workspace}));
    let (_, reader) = app.minted(&json!({"scopes": ["read"]}));
    for path in ["/v1/operators", "/v1/operator-sessions", "/v1/audit"] {
        app.operator(Method::GET, path).send().expect(200);
        for key in [&bound, &reader] {
            app.with_key(key, Method::GET, path).send().expect(403);
        }
    }
    for (method, path) in [
        (Method::POST, "/v1/operators"),
        (Method::PATCH, "/v1/operators/x"),
        (Method::DELETE, "/v1/operators/x"),
        (Method::DELETE, "/v1/operator-sessions/x"),
    ] {
        app.with_key(&bound, method, path).json(&json!({})).send().expect(403);
    }
}
