//! What a key may do: every call of the served document, with keys of every scope and of other workspaces.

use http::Method;
use serde_json::{Value, json};

use crate::app::App;

/// Every call that needs a key: method, path in the document's form, scope.
fn calls(app: &App) -> Vec<(Method, String, String)> {
    let document = app.operator_stranger(Method::GET, "/openapi.json").send().expect(200).json();
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(scope) = operation["security"].pointer("/0/operatorKey/0").and_then(Value::as_str)
            else {
                continue;
            };
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
            calls.push((method, path.clone(), scope.to_owned()));
        }
    }
    assert!(calls.len() > 20);
    calls
}

/// A path of the document with a workspace's id in it; other ids name nothing.
fn filled(path: &str, workspace: &str) -> String {
    let path = path.replace("{workspace}", workspace);
    ["webhook", "event", "credential", "delivery", "key", "replay", "operator", "session"]
        .iter()
        .fold(path, |path, name| path.replace(&format!("{{{name}}}"), "none"))
}

#[test]
fn every_call_needs_its_scope() {
    let app = App::new();
    let workspace = app.workspace("native");
    let keys = ["publish", "read", "admin"].map(|held| (held, app.minted(&json!({"scopes": [held]})).1));
    for (method, path, needed) in calls(&app) {
        for (held, key) in &keys {
            // Erasing would end the others' workspace.
            if path == "/v1/workspaces/{workspace}" && method == Method::DELETE && *held == "admin" {
                continue;
            }
            let answer = app.with_key(key, method.clone(), &filled(&path, &workspace)).send();
            let permitted = *held == "admin" || *held == needed;
            assert_eq!(answer.status != 403, permitted, "{method} {path} with {held}: {}", answer.text());
            if !permitted {
                let sentence = answer.text_at("/detail");
                assert!(sentence.contains(&format!("`{needed}`")) && sentence.ends_with(held), "{sentence}");
                assert_eq!(answer.text_at("/code"), "forbidden");
            }
        }
    }
}

#[test]
fn a_bound_key_knows_of_no_other_workspace() {
    let app = App::new();
    let (own, other) = (app.workspace("native"), app.workspace("native"));
    let (_, key) = app.minted(&json!({"scopes": ["admin"], "workspace": own}));
    let unknown = "no such workspace";
    for (method, path, _) in calls(&app) {
        if !path.contains("{workspace}") {
            continue;
        }
        for strange in [other.as_str(), "ws_0000000000000000", "%FF"] {
            let answer = app.with_key(&key, method.clone(), &filled(&path, strange)).send();
            assert!(matches!(answer.status.as_u16(), 403 | 404), "{method} {path}: {}", answer.text());
            if strange != "%FF" {
                assert_eq!(answer.expect(404).text_at("/detail"), unknown, "{method} {path}");
            }
        }
        if method == Method::GET {
            let answer = app.with_key(&key, method, &filled(&path, &own)).send();
            assert!(!answer.text().contains(unknown), "{path}: {}", answer.text());
        }
    }
    app.operator(Method::GET, &format!("/v1/workspaces/{other}")).send().expect(200);
    let listed = app.with_key(&key, Method::GET, "/v1/workspaces").send().expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["data"][0]["id"], &listed["next_cursor"]), (&json!(own), &json!(null)));
    let new = json!({"dialect": "native", "name": "Mine"});
    app.with_key(&key, Method::POST, "/v1/workspaces").json(&new).send().expect(403);
    for whole in ["/v1/storage", "/v1/cluster"] {
        app.with_key(&key, Method::GET, whole).send().expect(403);
    }
}

#[test]
fn a_bound_key_finds_only_its_own_deliveries() {
    let app = App::new();
    let [own, other] = [(); 2].map(|()| {
        let workspace = app.workspace("native");
        let path = format!("/v1/workspaces/{workspace}/webhooks");
        app.operator(Method::POST, &path).json(&json!({"url": "https://x.y"})).send().expect(201);
        app.publish(&workspace, &json!({"type": "a", "data": 1}));
        let list = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/deliveries")).send();
        (workspace, list.text_at("/data/0/id"))
    });
    let (_, key) = app.minted(&json!({"scopes": ["admin"], "workspace": own.0}));
    let get = |id: &str| app.with_key(&key, Method::GET, &format!("/v1/deliveries/{id}")).send();
    get(&own.1).expect(200);
    let unseen = get(&other.1);
    assert_eq!(unseen.expect(404).text_at("/detail"), get("dlv_none").text_at("/detail"));
    let redeliver = |id: &str| {
        app.with_key(&key, Method::POST, &format!("/v1/deliveries/{id}/redeliver")).send().status.as_u16()
    };
    assert_eq!((redeliver(&own.1), redeliver(&other.1)), (409, 404), "its own is still pending");
}

#[test]
fn nobody_gives_more_than_they_hold() {
    let app = App::new();
    let (own, other) = (app.workspace("native"), app.workspace("native"));
    let (_, bound) = app.minted(&json!({"scopes": ["admin"], "workspace": own}));
    let (unbound_id, unbound) = app.minted(&json!({"scopes": ["admin"]}));
    let (others_id, _) = app.minted(&json!({"scopes": ["read"], "workspace": other}));
    let mint =
        |key: &str, new: &Value| app.with_key(key, Method::POST, "/v1/keys").json(new).send().status.as_u16();
    let table = [
        (&unbound, json!({"scopes": ["admin", "read"]}), 201),
        (&unbound, json!({"scopes": ["publish"], "workspace": other}), 201),
        (&bound, json!({"scopes": ["admin"], "workspace": own}), 201),
        (&bound, json!({"scopes": ["read"]}), 403),
        (&bound, json!({"scopes": ["read"], "workspace": other}), 404),
        (&bound, json!({"scopes": ["read"], "workspace": "ws_0000000000000000"}), 404),
    ];
    for (key, new, status) in table {
        assert_eq!(mint(key, &new), status, "{new}");
    }
    for id in [&unbound_id, &others_id] {
        for (method, path) in [
            (Method::GET, format!("/v1/keys/{id}")),
            (Method::DELETE, format!("/v1/keys/{id}")),
            (Method::POST, format!("/v1/keys/{id}/rotate")),
        ] {
            app.with_key(&bound, method, &path).json(&json!({})).send().expect(404);
        }
    }
    let listed = app.with_key(&bound, Method::GET, "/v1/keys").send().expect(200).json();
    let rows = listed["data"].as_array().unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row["workspace"] == json!(own)), "{rows:?}");
    app.with_key(&bound, Method::GET, &format!("/v1/keys?workspace={other}")).send().expect(404);
    for scope in ["read", "publish"] {
        let (_, key) = app.minted(&json!({"scopes": [scope]}));
        assert_eq!(mint(&key, &json!({"scopes": [scope]})), 403, "minting takes admin");
    }
}

#[test]
fn nobody_gives_more_time_or_a_higher_rate_than_they_have() {
    let app = App::new();
    let (lasting_id, _) = app.minted(&json!({"scopes": ["admin"]}));
    let end = "2026-05-05T11:00:00.000Z";
    let (temporary_id, temporary) = app.minted(&json!({"scopes": ["admin"], "expires_at": end}));
    let (slow_id, slow) = app.minted(&json!({"scopes": ["admin"], "rate_limit_per_s": 50}));
    let mint = |key: &str, new: Value| app.with_key(key, Method::POST, "/v1/keys").json(&new).send();
    let rotate = |key: &str, id: &str| {
        app.with_key(key, Method::POST, &format!("/v1/keys/{id}/rotate")).json(&json!({})).send()
    };
    let sentence = format!("this key ends at {end}, so it cannot make one that ends later or never");
    for new in
        [json!({"scopes": ["read"]}), json!({"scopes": ["read"], "expires_at": "2026-05-05T11:00:00.001Z"})]
    {
        assert_eq!(mint(&temporary, new).expect(403).text_at("/detail"), sentence);
    }
    assert_eq!(rotate(&temporary, &lasting_id).expect(403).text_at("/detail"), sentence);
    mint(&temporary, json!({"scopes": ["read"], "expires_at": end})).expect(201);
    assert_eq!(rotate(&temporary, &temporary_id).expect(201).text_at("/expires_at"), end);
    let sentence = "this key may make 50 calls a second, so it cannot make one that may make more";
    for new in [json!({"scopes": ["read"]}), json!({"scopes": ["read"], "rate_limit_per_s": 51})] {
        assert_eq!(mint(&slow, new).expect(403).text_at("/detail"), sentence);
    }
    assert_eq!(rotate(&slow, &lasting_id).expect(403).text_at("/detail"), sentence);
    mint(&slow, json!({"scopes": ["read"], "rate_limit_per_s": 50})).expect(201);
    rotate(&slow, &slow_id).expect(201);
    app.operator(Method::POST, &format!("/v1/keys/{lasting_id}/rotate")).json(&json!({})).send().expect(201);
}

#[test]
fn whatever_a_bound_key_asks_for_exists_or_does_not() {
    let app = App::new();
    let own = app.workspace("native");
    let (_, key) = app.minted(&json!({"scopes": ["admin"], "workspace": own}));
    let status = |method: Method, path: &str| app.with_key(&key, method, path).send().status.as_u16();
    assert_eq!(status(Method::GET, "/v1/nonsense"), 404);
    assert_eq!(status(Method::PUT, "/v1/workspaces"), 405);
    assert_eq!(status(Method::GET, "/v1/"), 404);
    assert_eq!(status(Method::HEAD, &format!("/v1/workspaces/{own}")), 200);
    for open in ["/livez", "/readyz", "/metrics"] {
        app.operator_stranger(Method::GET, open).send().expect(200);
    }
}
