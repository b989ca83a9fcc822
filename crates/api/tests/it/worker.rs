//! The operator address of a process that only delivers.

use http::Method;
use serde_json::json;

use crate::app::App;

#[test]
fn a_worker_tells_how_it_fares_and_who_delivers() {
    let worker = App::new().into_worker();
    for path in ["/livez", "/readyz", "/metrics"] {
        worker.operator_stranger(Method::GET, path).send().expect(200);
    }
    let shown = worker.operator(Method::GET, "/v1/cluster").send().expect(200).json();
    assert_eq!(shown["nodes"][0]["is_this"], true);
    worker.operator(Method::POST, "/v1/cluster").send().expect(405);
}

#[test]
fn what_a_worker_does_not_serve_is_anothers_to_answer() {
    let app = App::new();
    let id = app.workspace("native");
    let publisher = app.minted(&json!({"scopes": ["publish"]})).1;
    let (worker, events) = (app.into_worker(), format!("/v1/workspaces/{id}/events"));
    for path in [
        events.as_str(),
        "/v1",
        "/v1/",
        "/v1/workspaces",
        "/v1/nonsense",
        "/",
        "/docs",
        "/openapi.json",
        "/nonsense",
    ] {
        for method in [Method::GET, Method::POST] {
            let refused = worker.operator(method, path).send();
            assert_eq!(refused.expect(421).text_at("/code"), "misdirected", "{path}");
        }
    }
    let event = json!({"type": "a", "data": 1});
    worker.with_key(&publisher, Method::POST, &events).json(&event).send().expect(421);
    worker.operator_stranger(Method::POST, &events).json(&event).send().expect(401);
    worker.with_key(&publisher, Method::GET, "/v1/cluster").send().expect(403);
}
