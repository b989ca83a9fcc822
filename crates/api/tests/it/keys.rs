//! Operator keys: minted, listed, revoked, rotated, and what becomes of those that are no good.

use std::sync::Arc;

use http::Method;
use serde_json::json;
use signalpost_api::built_in_dialects;
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::app::{Answer, App};

const DAY_MS: i64 = 24 * 3_600 * 1_000;

fn mint(app: &App, body: &serde_json::Value) -> Answer {
    app.operator(Method::POST, "/v1/keys").json(body).send()
}

/// Whether a key opens anything at all.
fn opens(app: &App, key: &str) -> bool {
    let answer = app.with_key(key, Method::GET, "/v1/workspaces").send();
    assert!(matches!(answer.status.as_u16(), 200 | 401), "{}", answer.text());
    answer.status == 200
}

#[test]
fn a_key_is_shown_once_listed_and_revoked_at_once() {
    let app = App::new();
    let workspace = app.workspace("native");
    let new = json!({
        "name": "billing", "scopes": ["read", "publish"], "workspace": workspace, "rate_limit_per_s": 5,
        "expires_at": "2026-05-05T11:00:00Z"
    });
    let issued = mint(&app, &new);
    let (id, secret) = (issued.expect(201).text_at("/id"), issued.text_at("/secret"));
    assert_eq!(issued.header("cache-control"), "no-store");
    assert!(id.starts_with("opk_") && secret.starts_with("spo_") && secret.len() == 44, "{secret}");
    let preview = format!("{}…{}", &secret[..8], &secret[40..]);
    let shown = json!({
        "id": id, "name": "billing", "scopes": ["publish", "read"], "workspace": workspace,
        "preview": preview, "rate_limit_per_s": 5,
        "created_at": "2026-05-05T10:06:46.150Z", "expires_at": "2026-05-05T11:00:00.000Z", "successor": null
    });
    let mut with_secret = shown.clone();
    with_secret["secret"] = json!(secret);
    assert_eq!(issued.json(), with_secret);

    let list = app.operator(Method::GET, "/v1/keys").send();
    assert_eq!(list.expect(200).json(), json!({"data": [shown], "next_cursor": null}));
    let one = app.operator(Method::GET, &format!("/v1/keys/{id}")).send();
    assert_eq!(one.expect(200).json(), shown);
    assert!(opens(&app, &secret));
    app.operator(Method::DELETE, &format!("/v1/keys/{id}")).send().expect(204);
    assert!(!opens(&app, &secret), "also a key that was in use a moment ago");
    for gone in [id.as_str(), "opk_0000000000000000", "nonsense", "cred_0000000000000000"] {
        for method in [Method::GET, Method::DELETE] {
            app.operator(method, &format!("/v1/keys/{gone}")).send().expect(404);
        }
    }
}

#[test]
fn keys_are_listed_in_pages_and_by_workspace() {
    let app = App::new();
    let (one, other) = (app.workspace("native"), app.workspace("sigmamind"));
    let bound = |workspace: &String| app.minted(&json!({"scopes": ["read"], "workspace": workspace})).0;
    let ids = [bound(&one), app.minted(&json!({"scopes": ["read"]})).0, bound(&other), bound(&one)];
    let list = |query: &str| {
        let page = app.operator(Method::GET, &format!("/v1/keys{query}")).send();
        let rows = page.expect(200).json()["data"].as_array().unwrap().clone();
        let ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        (ids, page.json()["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(list(""), (ids.to_vec(), None));
    assert_eq!(list(&format!("?workspace={one}")), (vec![ids[0].clone(), ids[3].clone()], None));
    let (first, cursor) = list("?limit=3");
    assert_eq!(first, ids[..3]);
    assert_eq!(list(&format!("?limit=3&cursor={}", cursor.unwrap())), (vec![ids[3].clone()], None));
    app.operator(Method::GET, "/v1/keys?workspace=ws_0").send().expect(404);
    app.operator(Method::GET, "/v1/keys?nonsense=1").send().expect(422);
}

#[test]
fn what_is_wrong_with_a_new_key_is_said() {
    let app = App::new();
    let refused = |body: serde_json::Value, pointers: &[&str]| {
        assert_eq!(mint(&app, &body).expect(422).pointers(), pointers, "{body}");
    };
    refused(json!({}), &["/scopes"]);
    refused(json!({"scopes": []}), &["/scopes"]);
    refused(json!({"scopes": null}), &["/scopes"]);
    refused(json!({"scopes": "read"}), &["/scopes"]);
    refused(json!({"scopes": ["root", "read", "read"]}), &["/scopes/0", "/scopes/2"]);
    refused(json!({"scopes": ["read", "read", "read", "read"]}), &["/scopes"]);
    refused(json!({"scopes": ["read"], "name": ""}), &["/name"]);
    refused(json!({"scopes": ["read"], "expires_at": "2026-05-05T10:06:46.150Z"}), &["/expires_at"]);
    refused(json!({"scopes": ["read"], "expires_at": 7, "workspace": 7}), &["/workspace", "/expires_at"]);
    for rate in [json!(0), json!(100_001)] {
        refused(json!({"scopes": ["read"], "rate_limit_per_s": rate}), &["/rate_limit_per_s"]);
    }
    for rate in [json!(-1), json!(1.5), json!("5"), json!(1u64 << 40)] {
        refused(json!({"scopes": ["read"], "rate_limit_per_s": rate}), &["/rate_limit_per_s"]);
    }
    refused(json!({"scopes": ["read"], "id": "opk_1"}), &["/id"]);
    mint(&app, &json!({"scopes": ["read"], "workspace": "ws_0000000000000000"})).expect(404);
    assert_eq!(app.operator(Method::GET, "/v1/keys").send().json()["data"], json!([]));
}

#[test]
fn a_key_expires_to_the_millisecond_and_wakes_with_a_clock_that_goes_back() {
    let app = App::new();
    let (_, key) = app.minted(&json!({"scopes": ["read"], "expires_at": "2026-05-05T10:06:47.000Z"}));
    app.clock.advance_ms(849);
    assert!(opens(&app, &key));
    app.clock.advance_ms(1);
    assert!(!opens(&app, &key));
    app.clock.advance_ms(-1);
    assert!(opens(&app, &key), "the clock is believed");
}

#[test]
fn a_rotated_key_overlaps_with_its_successor() {
    let app = App::new();
    let workspace = app.workspace("native");
    let new = json!({
        "name": "n", "scopes": ["read"], "workspace": workspace, "rate_limit_per_s": 100_000
    });
    let (id, old) = app.minted(&new);
    let rotate = |id: &str, body: serde_json::Value| {
        app.operator(Method::POST, &format!("/v1/keys/{id}/rotate")).json(&body).send()
    };
    let rotated = rotate(&id, json!({"overlap_s": 60}));
    let (next_id, next) = (rotated.expect(201).text_at("/id"), rotated.text_at("/secret"));
    assert_eq!(rotated.header("cache-control"), "no-store");
    assert_eq!(rotated.text_at("/previous_expires_at"), "2026-05-05T10:07:46.150Z");
    let (shown, given) = (rotated.json(), &new);
    for property in ["name", "scopes", "workspace", "rate_limit_per_s"] {
        assert_eq!(shown[property], given[property], "{property}");
    }
    assert_eq!(shown["expires_at"], json!(null));
    app.clock.advance_ms(59_999);
    assert!(opens(&app, &old) && opens(&app, &next));
    app.clock.advance_ms(1);
    assert!(!opens(&app, &old) && opens(&app, &next));
    rotate(&id, json!({})).expect(409);

    let at_once = rotate(&next_id, json!({"overlap_s": 0}));
    assert!(!opens(&app, &next), "no overlap: the key is dead when its successor is known");
    assert!(opens(&app, &at_once.expect(201).text_at("/secret")));
    let whole = json!({"scopes": ["read"], "rate_limit_per_s": 5.0});
    assert_eq!(mint(&app, &whole).expect(201).json()["rate_limit_per_s"], 5);
    let by_default = rotate(&at_once.text_at("/id"), json!({"overlap_s": null}));
    assert_eq!(by_default.expect(201).text_at("/previous_expires_at"), "2026-05-06T10:07:46.150Z");
    let id = by_default.text_at("/id");
    let month = rotate(&id, json!({"overlap_s": 2_592_000.0}));
    assert_eq!(month.expect(201).text_at("/previous_expires_at"), "2026-06-04T10:07:46.150Z");
    let id = month.text_at("/id");
    for bad in [json!({"overlap_s": -1}), json!({"overlap_s": 30 * 86_400 + 1}), json!({"overlap_s": "1"})] {
        assert_eq!(rotate(&id, bad).expect(422).pointers(), ["/overlap_s"]);
    }
    rotate(&id, json!({"overlap": 1})).expect(422);
    rotate("opk_0000000000000000", json!({})).expect(404);
}

#[test]
fn a_key_is_rotated_once_and_its_successor_has_the_keys_own_end() {
    let app = App::new();
    let (id, key) = app.minted(&json!({"scopes": ["read"]}));
    let rotate = |id: &str| {
        app.operator(Method::POST, &format!("/v1/keys/{id}/rotate")).json(&json!({"overlap_s": 60})).send()
    };
    let first = rotate(&id);
    let successor = first.expect(201).text_at("/id");
    assert_eq!((&first.json()["expires_at"], &first.json()["successor"]), (&json!(null), &json!(null)));
    let refused = rotate(&id);
    assert_eq!(
        refused.expect(409).text_at("/detail"),
        format!(
            "the key was rotated before, and its successor is `{successor}`; if nobody has the successor's secret, \
             revoke it and make a new key"
        )
    );
    let shown = app.operator(Method::GET, &format!("/v1/keys/{id}")).send().expect(200).json();
    assert_eq!((&shown["successor"], shown["expires_at"].is_null()), (&json!(successor), false));
    app.clock.advance_ms(60_000);
    assert!(!opens(&app, &key) && opens(&app, &first.text_at("/secret")), "it outlives the overlap");
    rotate(&successor).expect(201);
}

#[test]
fn expired_keys_make_room_for_new_ones() {
    let app = App::new();
    let end = "2026-05-05T10:06:47.000Z";
    let (id, _) = app.minted(&json!({"scopes": ["read"], "expires_at": end}));
    for _ in 1..1_000 {
        app.minted(&json!({"scopes": ["read"]}));
    }
    let one_more = || mint(&app, &json!({"scopes": ["read"]}));
    assert_eq!(one_more().expect(409).text_at("/detail"), "there are too many operator keys, revoke some");
    app.clock.advance_ms(850);
    one_more().expect(201);
    app.operator(Method::GET, &format!("/v1/keys/{id}")).send().expect(404);
    one_more().expect(409);
}

#[test]
fn keys_end_with_their_workspace() {
    let app = App::new();
    let (gone, kept) = (app.workspace("native"), app.workspace("native"));
    let bound = |workspace: &String| app.minted(&json!({"scopes": ["admin"], "workspace": workspace})).1;
    let (own, other) = (bound(&gone), bound(&kept));
    assert!(opens(&app, &own));
    app.with_key(&own, Method::DELETE, &format!("/v1/workspaces/{gone}")).send().expect(204);
    assert!(!opens(&app, &own) && opens(&app, &other));
    assert_eq!(app.operator(Method::GET, "/v1/keys").send().json()["data"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_a_key_costs_the_store_nothing() {
    let model = MemoryStore::new();
    let store = Arc::new(FaultyStore::new(model.clone(), Box::new(|_| Fault::Pass)));
    let app = App::over(model, Arc::clone(&store) as _, built_in_dialects());
    let (_, key) = app.minted(&json!({"scopes": ["read"]}));
    let before = store.calls();
    let last = if key.ends_with('0') { "1" } else { "0" };
    let wrong_checksum = format!("{}{last}", &key[..43]);
    for bad in ["", "x", "spo_", &key[..43], &format!("{key}0"), &wrong_checksum, &"x".repeat(60_000)] {
        app.with_key(bad, Method::GET, "/v1/workspaces").send().expect(401);
    }
    assert_eq!(store.calls(), before);
    assert!(opens(&app, &key));
    assert_eq!(store.calls(), before + 2, "one look for the key, one for the list");
    assert!(opens(&app, &key));
    assert_eq!(store.calls(), before + 3, "the key is known now");
}

#[test]
fn a_key_is_no_customers_credential_and_the_other_way_round() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let (_, key) = app.minted(&json!({"scopes": ["admin"]}));
    app.public(Method::GET, "/v1/webhooks").key(&key).send().expect(401);
    let credential = app.key(&workspace);
    app.with_key(&credential, Method::GET, "/v1/workspaces").send().expect(401);
    app.clock.advance_ms(400 * DAY_MS);
    assert!(opens(&app, &key), "a key without an end has none");
}
