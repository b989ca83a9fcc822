//! The operator's workspaces and credentials.

use http::Method;
use serde_json::json;

use crate::app::App;

#[test]
fn a_workspace_is_made_read_changed_and_erased() {
    let app = App::new();
    let body = json!({"dialect": "native", "name": "Acme", "policy": {"retry_schedule_s": [1, 2]}});
    let made = app.operator(Method::POST, "/v1/workspaces").json(&body).send();
    let id = made.expect(201).text_at("/id");
    assert_eq!(made.header("location"), format!("/v1/workspaces/{id}"));
    assert_eq!(
        made.text(),
        format!(
            "{{\"id\":\"{id}\",\"dialect\":\"native\",\"name\":\"Acme\",\"features\":[],\"policy\":{{\"retry_schedule_s\":\
             [1,2],\"timeout_ms\":15000,\"pause_after_failing_s\":1800,\"release_order\":\"oldest_first\",\"event_retention_s\":2592000,\"payload_retention_s\":2592000,\
             \"retention_bytes\":null}},\"created_at\":\"2026-05-05T10:06:46.150Z\"}}"
        )
    );
    assert!(id.starts_with("ws_") && id.len() == 19, "{id}");

    let path = format!("/v1/workspaces/{id}");
    let mut shown = app.operator(Method::GET, &path).send().expect(200).json();
    assert_eq!(shown.as_object_mut().unwrap().remove("usage"), Some(json!({"events": 0, "bytes": 0})));
    assert_eq!(shown, made.json());
    let patch = |body| app.operator(Method::PATCH, &path).json(&body).send();
    let policy_after = |body| {
        let policy = patch(body).expect(200).json()["policy"].clone();
        json!({"retry_schedule_s": policy["retry_schedule_s"], "timeout_ms": policy["timeout_ms"]})
    };
    assert_eq!(patch(json!({"name": "Zenith"})).expect(200).text_at("/name"), "Zenith");
    let merged = json!({"retry_schedule_s": [1, 2], "timeout_ms": 500});
    assert_eq!(policy_after(json!({"policy": {"timeout_ms": 500}})), merged, "a policy is merged");
    let reset = json!({"retry_schedule_s": [1, 2], "timeout_ms": 15_000});
    assert_eq!(
        policy_after(json!({"policy": {"timeout_ms": null}})),
        reset,
        "a null member is the dialect's"
    );
    let dialects = policy_after(json!({"policy": null}));
    assert_eq!(dialects["retry_schedule_s"], json!([5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]));

    let erased = app.operator(Method::DELETE, &path).send();
    erased.expect(204);
    assert!(erased.body.is_empty());
    for method in [Method::GET, Method::DELETE] {
        app.operator(method, &path).send().expect(404);
    }
}

#[test]
fn workspaces_are_refused_with_every_reason_at_once() {
    let app = App::new();
    let refused = |body, pointers: &[&str]| {
        let answer = app.operator(Method::POST, "/v1/workspaces").json(&body).send();
        assert_eq!(answer.expect(422).pointers(), pointers, "{body}");
    };
    refused(json!({}), &["/dialect", "/name"]);
    refused(json!({"dialect": "esperanto", "name": "x"}), &["/dialect"]);
    refused(json!({"dialect": "native", "name": "", "id": "org_1"}), &["/name", "/id"]);
    refused(json!({"dialect": 1, "name": null, "features": "x"}), &["/dialect", "/name", "/features"]);
    refused(json!({"dialect": "native", "name": "x", "features": ["a", 1]}), &["/features/1"]);
    refused(json!({"dialect": "native", "name": "x", "features": ["feed"]}), &["/features"]);
    refused(json!({"dialect": "native", "name": "x", "nmae": "y", "a/b~": 1}), &["/nmae", "/a~1b~0"]);
    let policy = |policy| json!({"dialect": "native", "name": "x", "policy": policy});
    refused(policy(json!([])), &["/policy"]);
    refused(policy(json!({"timeout_ms": 1, "x": 2})), &["/policy/timeout_ms", "/policy/x"]);
    refused(policy(json!({"retry_schedule_s": [1, -1]})), &["/policy/retry_schedule_s"]);
    refused(policy(json!({"retry_schedule_s": vec![1; 33]})), &["/policy/retry_schedule_s"]);
    let id = app.workspace("native");
    let twice = json!({"dialect": "native", "name": "x", "id": id});
    app.operator(Method::POST, "/v1/workspaces").json(&twice).send().expect(409);
    let patch = app.operator(Method::PATCH, &format!("/v1/workspaces/{id}"));
    let answer = patch.json(&json!({"name": null, "features": null, "dialect": "native"})).send();
    assert_eq!(answer.expect(422).pointers(), ["/name", "/features", "/dialect"]);
}

#[test]
fn workspaces_are_listed_in_pages_oldest_first() {
    let app = App::new();
    let made: Vec<String> = (0..5).map(|_| app.workspace("native")).collect();
    let (mut listed, mut path) = (Vec::new(), "/v1/workspaces?limit=2".to_owned());
    loop {
        let page = app.operator(Method::GET, &path).send().expect(200).json();
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2);
        listed.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/workspaces?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, made);
    let exact = app.operator(Method::GET, "/v1/workspaces?limit=5").send().json();
    assert_eq!(exact["next_cursor"], json!(null), "nothing follows");
}

#[test]
fn bad_pages_are_refused() {
    let app = App::new();
    let id = app.workspace("native");
    let events_cursor = {
        app.publish(&id, &json!({"type": "a", "data": 1}));
        app.publish(&id, &json!({"type": "a", "data": 2}));
        app.operator(Method::GET, &format!("/v1/workspaces/{id}/events?limit=1"))
            .send()
            .text_at("/next_cursor")
    };
    for list in [
        "/v1/workspaces".to_owned(),
        format!("/v1/workspaces/{id}/webhooks"),
        format!("/v1/workspaces/{id}/deliveries"),
    ] {
        let refused = |query: &str, pointer: &str| {
            let answer = app.operator(Method::GET, &format!("{list}?{query}")).send();
            assert_eq!(answer.expect(422).pointers(), [pointer], "{list} {query}");
        };
        for limit in ["0", "-1", "251", "abc", "", "1.5", "99999999999999999999"] {
            refused(&format!("limit={limit}"), "/limit");
        }
        refused("cursor=nonsense", "/cursor");
        refused("cursor=", "/cursor");
        refused(&format!("cursor={events_cursor}"), "/cursor");
        refused("nonsense=1", "/nonsense");
        refused("limit=1&limit=1", "/limit");
        refused("limit=%zz", "/limit");
    }
}

#[test]
fn credentials_are_shown_once_listed_without_secret_and_revoked() {
    let app = App::new();
    let workspace = app.workspace("sigmamind");
    let path = format!("/v1/workspaces/{workspace}/credentials");
    let body = json!({"name": "production", "expires_at": "2026-05-05T12:06:47+02:00"});
    let issued = app.operator(Method::POST, &path).json(&body).send();
    let (id, secret) = (issued.expect(201).text_at("/id"), issued.text_at("/secret"));
    assert_eq!(issued.header("cache-control"), "no-store");
    assert_eq!(issued.text_at("/expires_at"), "2026-05-05T10:06:47.000Z");
    assert!(id.starts_with("cred_") && secret.starts_with("sgm_") && secret.len() == 44);

    let list = app.operator(Method::GET, &path).send();
    assert!(!list.expect(200).text().contains(&secret));
    assert_eq!(list.json()["next_cursor"], json!(null));
    let row = &list.json()["data"][0];
    assert_eq!((&row["id"], &row["name"], row.get("secret")), (&json!(id), &json!("production"), None));

    let other = app.workspace("sigmamind");
    let foreign = format!("/v1/workspaces/{other}/credentials/{id}");
    app.operator(Method::DELETE, &foreign).send().expect(404);
    app.public(Method::GET, "/v1/webhooks").key(&secret).send().expect(200);
    app.operator(Method::DELETE, &format!("{path}/{id}")).send().expect(204);
    app.public(Method::GET, "/v1/webhooks").key(&secret).send().expect(401);
    for gone in [id.as_str(), "cred_0000000000000000", "nonsense"] {
        app.operator(Method::DELETE, &format!("{path}/{gone}")).send().expect(404);
    }
}

#[test]
fn credentials_are_refused_where_they_make_no_sense() {
    let app = App::new();
    let native = format!("/v1/workspaces/{}/credentials", app.workspace("native"));
    app.operator(Method::POST, &native).json(&json!({})).send().expect(409);
    let path = format!("/v1/workspaces/{}/credentials", app.workspace("sigmamind"));
    let refused = |body, pointers: &[&str]| {
        let answer = app.operator(Method::POST, &path).json(&body).send();
        assert_eq!(answer.expect(422).pointers(), pointers, "{body}");
    };
    refused(json!({"expires_at": "2026-05-05T10:06:46.150Z"}), &["/expires_at"]);
    refused(json!({"expires_at": "tomorrow", "name": 7}), &["/name", "/expires_at"]);
    refused(json!({"scopes": ["admin"]}), &["/scopes"]);
    refused(json!({"rights": ["read"]}), &["/rights"]);
    app.operator(Method::POST, "/v1/workspaces/ws_0/credentials").json(&json!({})).send().expect(404);
}
