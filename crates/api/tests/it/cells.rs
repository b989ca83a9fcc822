//! One server over two stores: each call is answered by the one that has what it is about.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use signalpost_core::limits::FAILED_LOGINS_BURST;
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::{Ledger, Store};

use crate::app::{Answer, App};

/// Of cell 1, which has node numbers of its own.
const FAR_NODE: u16 = 64;

fn stores() -> (MemoryStore, MemoryStore) {
    let (near, far) = (MemoryStore::new(), MemoryStore::new());
    far.ownership().be_node(FAR_NODE);
    (near, far)
}

fn app_over(near: MemoryStore, far: impl Store + 'static) -> App {
    App::divided(vec![Arc::new(near), Arc::new(far)])
}

fn app() -> App {
    let (near, far) = stores();
    app_over(near, far)
}

/// A workspace in a cell: its public id.
fn workspace_in(app: &App, cell: usize, dialect: &str) -> String {
    made_in(app, cell, &json!({"dialect": dialect, "name": "Acme"}))
}

fn made_in(app: &App, cell: usize, body: &Value) -> String {
    let call = app.operator(Method::POST, "/v1/workspaces").header("signalpost-cell", &cell.to_string());
    let made = call.json(body).send();
    assert_eq!(made.expect(201).json()["cell"], json!(cell));
    made.text_at("/id")
}

fn get(app: &App, path: &str) -> Answer {
    app.operator(Method::GET, path).send()
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["data"].as_array().expect("a list").iter().filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn a_workspace_lies_where_it_is_wanted_and_is_found_there() {
    let app = app();
    assert_eq!(
        get(&app, &format!("/v1/workspaces/{}", app.workspace("native"))).expect(200).json()["cell"],
        1
    );
    for cell in [0, 1] {
        let workspace = workspace_in(&app, cell, "native");
        let path = format!("/v1/workspaces/{workspace}");
        assert_eq!(get(&app, &path).expect(200).json()["cell"], json!(cell));
        let webhook = json!({"url": "https://example.com/hook"});
        app.operator(Method::POST, &format!("{path}/webhooks")).json(&webhook).send().expect(201);
        app.publish(&workspace, &json!({"type": "a", "data": {}}));
        let listed = get(&app, &format!("{path}/deliveries")).expect(200).json();
        let delivery = ids(&listed)[0].to_owned();
        assert_eq!(get(&app, &format!("/v1/deliveries/{delivery}")).expect(200).text_at("/id"), delivery);
        let encoded = workspace.replace('_', "%5F");
        get(&app, &format!("/v1/workspaces/{encoded}/events")).expect(200);
    }
    get(&app, "/v1/workspaces/ws_nobody0000000000").expect(404);
    get(&app, "/v1/deliveries/dlv_0000000000000000000000").expect(404);
}

#[test]
fn a_cell_that_is_not_there_takes_no_workspace() {
    let app = app();
    let body = json!({"dialect": "native", "name": "Acme"});
    for (cell, status) in [("2", 404), ("16", 422), ("one", 422), ("", 422)] {
        let call = app.operator(Method::POST, "/v1/workspaces").header("signalpost-cell", cell);
        call.json(&body).send().expect(status);
    }
    assert_eq!(get(&app, "/v1/workspaces").expect(200).json()["data"], json!([]));
}

#[test]
fn an_id_is_taken_in_all_cells() {
    let app = app();
    let body = json!({"dialect": "native", "name": "Acme", "id": "ws_0aB3dE6gH9jK2mN5"});
    let create = |cell: &str| {
        let call = app.operator(Method::POST, "/v1/workspaces").header("signalpost-cell", cell);
        call.json(&body).send()
    };
    create("0").expect(201);
    let refused = [create("0"), create("1")];
    assert_eq!(refused[0].expect(409).text_at("/detail"), refused[1].expect(409).text_at("/detail"));
}

#[test]
fn lists_of_all_workspaces_go_through_all_cells_in_pages() {
    let app = app();
    let mut made: Vec<String> = (0..5).map(|number| workspace_in(&app, number % 2, "native")).collect();
    let (mut listed, mut path) = (Vec::new(), "/v1/workspaces?limit=2".to_owned());
    loop {
        let page = get(&app, &path).expect(200).json();
        listed.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/workspaces?limit=2&cursor={next}");
    }
    assert_eq!(listed.len(), 5);
    listed.sort();
    made.sort();
    assert_eq!(listed, made);
}

#[test]
fn customers_are_known_by_their_keys_in_whichever_cell_they_are() {
    let app = app();
    for (dialect, path, header) in [
        ("sigmamind", "/v1/webhooks", "x-api-key"),
        ("opentrain-partner", "/api/partner/v1/webhook-endpoints", "authorization"),
    ] {
        for cell in [0, 1] {
            let workspace = workspace_in(&app, cell, dialect);
            let key = app.key(&workspace);
            let shown = if header == "authorization" { format!("Bearer {key}") } else { key.clone() };
            let answer = app.public(Method::GET, path).header(header, &shown).send();
            assert!([200, 403].contains(&answer.status.as_u16()), "{dialect}: {}", answer.status);
        }
        let stranger = app.public(Method::GET, path).header(header, "Bearer nobody").send();
        stranger.expect(401);
        app.public(Method::GET, path).send().expect(401);
    }
}

#[test]
fn users_log_in_wherever_they_are_and_their_names_are_theirs_alone() {
    let app = app();
    for (cell, name) in [(0, "anna"), (1, "bert")] {
        // The stores of this test do not divide numbers among themselves.
        let chain = format!("{}", 100 + cell);
        let chain = made_in(&app, cell, &json!({"dialect": "spaaza", "name": "Acme", "id": chain}));
        let path = format!("/v1/workspaces/{chain}/credentials");
        let user = json!({"username": name, "password": "correct horse battery"});
        app.operator(Method::POST, &path).json(&user).send().expect(201);
        let body = format!("username={name}&password=correct horse battery");
        let login = app.public(Method::POST, "/auth/login");
        let session = login.raw("application/x-www-form-urlencoded", body).send().expect(200).json();
        let info = &session["results"]["session_info"];
        let call = app.public(Method::GET, &format!("/internal/get-webhooks?chain_id={chain}"));
        let call = call.header("x-spaaza-session-user-id", &info["session_user_id"].to_string());
        call.header("x-spaaza-session-key", info["session_key"].as_str().expect("a key")).send().expect(200);
    }
    let other = made_in(&app, 0, &json!({"dialect": "spaaza", "name": "Acme", "id": "102"}));
    let user = json!({"username": "bert", "password": "correct horse battery"});
    app.operator(Method::POST, &format!("/v1/workspaces/{other}/credentials")).json(&user).send().expect(409);
}

/// Whoever logs in may carry a session that has long ended.
#[test]
fn what_a_login_carries_beside_it_says_nothing() {
    let app = app();
    let chain = made_in(&app, 1, &json!({"dialect": "spaaza", "name": "Acme", "id": "101"}));
    let user = json!({"username": "anna", "password": "correct horse battery"});
    app.operator(Method::POST, &format!("/v1/workspaces/{chain}/credentials")).json(&user).send().expect(201);
    let with_stale_session = |method, path| {
        let call = app.public(method, path).header("x-spaaza-session-user-id", "1");
        call.header("x-spaaza-session-key", &"0".repeat(64))
    };
    for _ in 0..2 * FAILED_LOGINS_BURST {
        with_stale_session(Method::GET, "/auth/nowhere").send();
    }
    let body = "username=anna&password=correct horse battery";
    let login = with_stale_session(Method::POST, "/auth/login");
    login.raw("application/x-www-form-urlencoded", body).send().expect(200);
}

#[test]
fn keys_open_what_they_are_for_in_all_cells() {
    let app = app();
    let (near, far) = (workspace_in(&app, 0, "native"), workspace_in(&app, 1, "native"));
    let (anywhere, key) = app.minted(&json!({"scopes": ["read", "admin"]}));
    let (bound, of_far) = app.minted(&json!({"scopes": ["read"], "workspace": far}));
    for workspace in [&near, &far] {
        app.with_key(&key, Method::GET, &format!("/v1/workspaces/{workspace}")).send().expect(200);
    }
    app.with_key(&of_far, Method::GET, &format!("/v1/workspaces/{far}")).send().expect(200);
    app.with_key(&of_far, Method::GET, &format!("/v1/workspaces/{near}")).send().expect(404);
    let listed = app.with_key(&of_far, Method::GET, "/v1/workspaces").send().expect(200).json();
    assert_eq!(ids(&listed), [far.as_str()]);
    let listed = get(&app, "/v1/keys").expect(200).json();
    assert_eq!(ids(&listed).len(), 2);
    assert_eq!(ids(&get(&app, &format!("/v1/keys?workspace={far}")).expect(200).json()), [bound.as_str()]);
    for id in [&anywhere, &bound] {
        get(&app, &format!("/v1/keys/{id}")).expect(200);
        app.operator(Method::DELETE, &format!("/v1/keys/{id}")).send().expect(204);
    }
    app.with_key(&of_far, Method::GET, &format!("/v1/workspaces/{far}")).send().expect(401);
    app.with_key(&key, Method::GET, &format!("/v1/workspaces/{far}")).send().expect(401);
}

/// Nothing is taken for gone that is only out of reach, and what is in reach is served.
#[test]
fn a_cell_that_is_away_takes_nothing_from_the_others() {
    let (near, far) = stores();
    let app = app_over(near.clone(), far.clone());
    let (here, there) = (workspace_in(&app, 0, "sigmamind"), workspace_in(&app, 1, "sigmamind"));
    let (key, far_key) = (app.key(&here), app.key(&there));
    let app = app_over(near, FaultyStore::new(far, Box::new(|_| Fault::Before)));
    get(&app, &format!("/v1/workspaces/{here}")).expect(200);
    get(&app, &format!("/v1/workspaces/{there}")).expect(503);
    get(&app, "/v1/workspaces").expect(503);
    app.public(Method::GET, "/v1/webhooks").key(&key).send().expect(200);
    app.public(Method::GET, "/v1/webhooks").key(&far_key).send().expect(503);
    assert_eq!(app.operator_stranger(Method::GET, "/readyz").send().expect(200).text(), "ok");
}

#[test]
fn metrics_tell_cells_apart() {
    let app = app();
    let text = app.operator_stranger(Method::GET, "/metrics").send().expect(200).text();
    for line in [
        "signalpost_events_accepted_total{cell=\"0\"} 0",
        "signalpost_events_accepted_total{cell=\"1\"} 0",
        "signalpost_deliveries_ended_total{cell=\"1\",status=\"failed\"} 0",
        "signalpost_attempt_duration_seconds_bucket{cell=\"1\",le=\"+Inf\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
    let heads = text.lines().filter(|line| *line == "# TYPE signalpost_events_accepted_total counter");
    assert_eq!(heads.count(), 1);
}
