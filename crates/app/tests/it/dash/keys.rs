//! Keys and sessions that are made and ended on pages.

use serde_json::json;
use signalpost_testkit::{HttpClient, Request};

use super::Stage;
use super::browser::Browser;
use crate::PATIENCE;

fn form(browser: &mut Browser, path: &str, fields: &str) -> (u16, String) {
    let proof = browser.proof();
    let answered = browser.post(path, &format!("proof={proof}&{fields}"));
    (answered.status, answered.text())
}

/// The secret that a page shows.
fn shown(page: &str) -> String {
    let (_, after) = page.split_once("It is shown this once:").expect("a key is shown");
    after.split("title=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn status(stage: &Stage, key: &str, path: &str) -> u16 {
    let request = Request::new("GET", path).header("authorization", &format!("Bearer {key}"));
    HttpClient::new(stage.server.operator_address(), PATIENCE).send(&request).unwrap().status
}

/// What the forms of a table's row lead to.
fn way(page: &str, name: &str, act: &str) -> String {
    let row = page.split("<tr>").find(|row| row.contains(&format!("<td>{name}</td>"))).expect("it is listed");
    let ways = row.split("action=\"").skip(1).map(|part| part.split('"').next().unwrap());
    ways.into_iter().find(|way| way.ends_with(act)).expect("it is offered").to_owned()
}

#[test]
fn a_key_is_made_replaced_and_revoked() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let keys = "/v1/keys";
    for (fields, words) in [
        ("name=a", "scopes"),
        ("name=a&read=on&workspace=nobody", "names no workspace"),
        ("name=a&read=on&days=x", "must be a number of days"),
    ] {
        let (status, page) = form(&mut root, "/dash/keys", fields);
        assert!(status == 400 && page.contains(words), "{fields}: {page}");
    }
    let (made, page) = form(&mut root, "/dash/keys", "name=billing&admin=on&days=30");
    assert_eq!(made, 200, "{page}");
    let first = shown(&page);
    assert_eq!(status(&stage, &first, keys), 200);
    assert!(!root.page("/dash/keys").contains(&first));
    let (replaced, page) = form(&mut root, &way(&page, "billing", "/rotate"), "");
    assert_eq!(replaced, 200, "{page}");
    let second = shown(&page);
    assert_eq!([status(&stage, &first, keys), status(&stage, &second, keys)], [200, 200], "they overlap");
    while let Some(row) =
        root.page("/dash/keys").contains("<td>billing</td>").then(|| root.page("/dash/keys"))
    {
        assert_eq!(form(&mut root, &way(&row, "billing", "/revoke"), "").0, 303);
    }
    assert_eq!([status(&stage, &first, keys), status(&stage, &second, keys)], [401, 401]);
    let (made, page) =
        form(&mut root, "/dash/keys", &format!("name=own&read=on&workspace={}", stage.workspace));
    assert_eq!(made, 200, "{page}");
    let bound = shown(&page);
    assert_eq!(status(&stage, &bound, &format!("/v1/workspaces/{}", stage.workspace)), 200);
    let other = stage.operator.create_workspace(&json!({"dialect": "native", "name": "Other"})).unwrap();
    assert_eq!(status(&stage, &bound, &format!("/v1/workspaces/{other}")), 404);
}

#[test]
fn nobody_hands_out_more_than_they_hold() {
    let mut stage = Stage::set();
    let ends = json!({"name": "short", "scopes": ["admin"], "expires_at": "2100-01-01T00:00:00Z"});
    let (_, short) = stage.key(&ends);
    let mut browser = stage.signed_in(&short);
    let (refused, page) = form(&mut browser, "/dash/keys", "name=long&read=on");
    assert!(refused == 400 && page.contains("cannot"), "{page}");
    assert_eq!(form(&mut browser, "/dash/keys", "name=shorter&read=on&days=1").0, 200);
    let (_, reads) = stage.key(&json!({"name": "r", "scopes": ["read"]}));
    let mut viewer = stage.signed_in(&reads);
    assert_eq!(viewer.get("/dash/keys").status, 403);
    for path in ["/dash/keys", "/dash/keys/opk_x/revoke", "/dash/keys/opk_x/rotate", "/dash/sessions/x/end"] {
        assert_eq!(form(&mut viewer, path, "name=a&read=on").0, 403, "{path}");
    }
}

/// An account has no end and no limit: a key that has would outlive itself by making one.
#[test]
fn a_key_with_an_end_or_a_limit_gives_nobody_an_account() {
    let mut stage = Stage::set();
    let (_, whole) = stage.key(&json!({"name": "whole", "scopes": ["admin"]}));
    let new = json!({"username": "kim", "role": "viewer"});
    let call = |stage: &Stage, key: &str, method: &str, path: &str, body: &serde_json::Value| {
        let call = Request::new(method, path).header("authorization", &format!("Bearer {key}")).json(body);
        HttpClient::new(stage.server.operator_address(), PATIENCE).send(&call).unwrap()
    };
    let made = call(&stage, &whole, "POST", "/v1/operators", &new);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let lesser = [
        json!({"name": "short", "scopes": ["admin"], "expires_at": "2100-01-01T00:00:00Z"}),
        json!({"name": "slow", "scopes": ["admin"], "rate_limit_per_s": 100}),
    ];
    for key in lesser {
        let (_, key) = stage.key(&key);
        let other = json!({"username": "pat", "role": "viewer"});
        assert_eq!(call(&stage, &key, "POST", "/v1/operators", &other).status, 403);
        let own = format!("/v1/operators/{id}");
        assert_eq!(call(&stage, &key, "PATCH", &own, &json!({"role": "admin"})).status, 403);
        assert_eq!(call(&stage, &key, "PATCH", &own, &json!({"password": null})).status, 403);
        let mut browser = stage.signed_in(&key);
        let (refused, page) = form(&mut browser, "/dash/operators", "username=pat&role=admin");
        assert!(refused == 403 && page.contains("cannot give anybody an account"), "{page}");
        for (act, fields) in [("role", "role=admin"), ("password", "")] {
            let act = format!("/dash/operators/{id}/{act}");
            assert_eq!(form(&mut browser, &act, fields).0, 403, "{act}");
        }
    }
    let accounts = call(&stage, &whole, "GET", "/v1/operators", &json!({})).json();
    let accounts = accounts["data"].as_array().unwrap();
    assert_eq!((accounts.len(), &accounts[0]["role"]), (1, &json!("viewer")), "{accounts:?}");
}

/// What cannot be seen cannot be taken away.
#[test]
fn all_keys_and_all_sessions_are_listed() {
    let mut stage = Stage::set();
    for number in 0..101 {
        stage.key(&json!({"name": format!("key {number}"), "scopes": ["read"]}));
    }
    let mut root = stage.root();
    let follow = |root: &mut Browser, page: &str| {
        let (_, rest) = page
            .split_once("rel=\"next\"")
            .map_or_else(|| panic!("{page}"), |(before, _)| before.rsplit_once("href=\"").unwrap());
        root.page(rest.split('"').next().unwrap())
    };
    let first = root.page("/dash/keys");
    assert!(first.contains("<td>key 99</td>") && !first.contains("<td>key 100</td>"), "{first}");
    let second = follow(&mut root, &first);
    assert!(second.contains("<td>key 100</td>") && !second.contains("<td>key 99</td>"), "{second}");
    assert!(!second.contains("rel=\"next\"") && second.contains("rel=\"first\""));
    let (_, oldest) = stage.key(&json!({"name": "the first who came", "scopes": ["read"]}));
    stage.signed_in(&oldest);
    let (_, others) = stage.key(&json!({"name": "others", "scopes": ["read"]}));
    for _ in 0..50 {
        stage.signed_in(&others);
    }
    let page = root.page("/dash/operators");
    assert!(!page.contains("the first who came"));
    let page = follow(&mut root, &page);
    assert!(page.contains("the first who came"), "{page}");
    for wrong in ["/dash/keys?after=x", "/dash/operators?before=x"] {
        assert_eq!(root.get(wrong).status, 400, "{wrong}");
    }
}

#[test]
fn who_is_signed_in_is_seen_and_sent_away() {
    let mut stage = Stage::set();
    let (_, secret) = stage.key(&json!({"name": "night shift", "scopes": ["read"]}));
    let mut other = stage.signed_in(&secret);
    let mut root = stage.root();
    let page = root.page("/dash/operators");
    assert_eq!(form(&mut root, &way(&page, "night shift", "/end"), "").0, 303);
    assert_eq!(other.get("/dash").status, 303);
    assert!(!root.page("/dash/operators").contains("night shift"));
    for wrong in ["/dash/sessions/x/end", "/dash/sessions/ops_0000000000000000000000/end"] {
        assert_eq!(form(&mut root, wrong, "").0, 404, "{wrong}");
    }
}
