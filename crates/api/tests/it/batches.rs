//! Publishing many events at once, all or nothing.

use http::Method;
use serde_json::json;

use crate::app::{Answer, App};

fn post(app: &App, workspace: &str, content_type: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let path = format!("/v1/workspaces/{workspace}/events/batch");
    app.operator(Method::POST, &path).raw(content_type, body).send()
}

fn stored(app: &App, workspace: &str) -> usize {
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/events")).send();
    list.json()["data"].as_array().unwrap().len()
}

#[test]
fn arrays_and_lines_are_accepted_in_order() {
    let app = App::new();
    let id = app.workspace("native");
    let array =
        " [ {\"type\":\"a\",\"id\":\"1\",\"data\":{ }}, {\"type\":\"a\",\"id\":\"2\",\"data\":[1 ]} ] ";
    let answer = post(&app, &id, "application/json", array);
    assert_eq!(answer.expect(202).json()["accepted"], 2);
    let lines = "{\"type\":\"a\",\"id\":\"3\",\"data\":1}\r\n\n  \n{\"type\":\"a\",\"id\":\"4\",\"data\":2}";
    let answer = post(&app, &id, "application/x-ndjson", lines);
    let events = answer.expect(202).json()["events"].clone();
    assert_eq!((&events[0]["id"], &events[1]["id"]), (&json!("3"), &json!("4")));
    assert!(events[0]["sequence"].as_i64() < events[1]["sequence"].as_i64());
    assert_eq!(stored(&app, &id), 4);
    let read = app.operator(Method::GET, &format!("/v1/workspaces/{id}/events/2")).send();
    assert!(read.text().contains("\"data\":[1 ]"), "data is kept byte for byte");
}

#[test]
fn one_bad_event_refuses_all() {
    let app = App::new();
    let id = app.workspace("native");
    let refused = |body: serde_json::Value, pointers: &[&str]| {
        let answer = post(&app, &id, "application/json", body.to_string());
        assert_eq!(answer.expect(422).pointers(), pointers, "{body}");
    };
    let good = json!({"type": "a", "data": 1});
    refused(json!([good, {"type": "a"}, {"data": 1}]), &["/1/data", "/2/type"]);
    refused(json!([good, {"type": "a b", "data": 1}]), &["/1/type"]);
    refused(json!([{"type": "a b", "data": 1}]), &["/0/type"]);
    refused(json!([]), &[]);
    post(&app, &id, "application/x-ndjson", "\n \n").expect(422);
    for bad in
        ["[1]", "[{}", "{}", "[{\"type\":\"a\",\"type\":\"a\"}]", "", "[{\"type\":\"a\",\"data\":1}] x"]
    {
        post(&app, &id, "application/json", bad).expect(400);
    }
    let answer = post(&app, &id, "application/x-ndjson", "{\"type\":\"a\",\"data\":1}\n\n[]\n");
    assert!(answer.expect(400).text_at("/detail").starts_with("line 3: "), "{}", answer.text());
    post(&app, &id, "text/plain", "[]").expect(415);
    assert_eq!(stored(&app, &id), 0);
}

#[test]
fn batches_have_bounds() {
    let app = App::new();
    let id = app.workspace("native");
    let events = |count: usize| json!(vec![json!({"type": "a", "data": 1}); count]).to_string();
    let lines = |count: usize| "{\"type\":\"a\",\"data\":1}\n".repeat(count);
    post(&app, &id, "application/json", events(1_001)).expect(413);
    post(&app, &id, "application/x-ndjson", lines(1_001)).expect(413);
    let large = json!([{"type": "a", "data": "x".repeat(1024 * 1024)}]).to_string();
    post(&app, &id, "application/json", large).expect(413);
    let large = json!({"type": "a", "data": "x".repeat(1024 * 1024)}).to_string();
    post(&app, &id, "application/x-ndjson", large).expect(413);
    assert_eq!(post(&app, &id, "application/json", events(1_000)).expect(202).json()["accepted"], 1_000);
    assert_eq!(post(&app, &id, "application/x-ndjson", lines(1_000)).expect(202).json()["accepted"], 1_000);
}
