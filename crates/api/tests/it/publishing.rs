//! Publishing one event, and reading it back.

use http::Method;
use serde_json::json;

use crate::app::App;

#[test]
fn an_event_is_accepted_and_kept_byte_for_byte() {
    let app = App::new();
    let id = app.workspace("native");
    let path = format!("/v1/workspaces/{id}/events");
    let data =
        "{ \"amount\" : 1.50, \"big\":12345678901234567890123, \"a\":1,\"a\":2, \"t\":\"\\u00fc\\/\" }";
    for (name, padding) in [("small", 0), ("large", 100_000)] {
        let data = format!("{{\"padding\":\"{}\",\"rest\":{data}}}", "x".repeat(padding));
        let body = format!("{{\"type\":\"order.paid\" , \"data\": {data} ,\"id\":\"{name}\"}}");
        let answer = app.operator(Method::POST, &path).raw("application/json", body).send();
        assert_eq!(answer.expect(202).json()["deliveries"], 0);
        assert_eq!(answer.text_at("/id"), name);
        let read = app.operator(Method::GET, &format!("{path}/{name}")).send();
        assert!(read.expect(200).text().contains(&format!("\"data\":{data}")), "not a byte of data changes");
    }
}

#[test]
fn an_event_reads_back_as_it_was_understood() {
    let app = App::new();
    let id = app.workspace("native");
    let event = json!({"type": "a.b", "subject": "Käse 🧀", "ordering_key": "k 1", "id": "e-1",
                       "time": "2020-01-01T00:00:00Z", "data": null});
    let receipt = app.publish(&id, &event).json();
    let read = app.operator(Method::GET, &format!("/v1/workspaces/{id}/events/e-1")).send();
    let expected = json!({
        "id": "e-1", "sequence": receipt["sequence"], "type": "a.b", "subject": "Käse 🧀", "ordering_key": "k 1",
        "time": "2020-01-01T00:00:00.000Z", "accepted_at": "2026-05-05T10:06:46.150Z",
        "attributes": {}, "data": null, "payload_removed_at": null, "deliveries": 0
    });
    assert_eq!(read.expect(200).json(), expected);
    let anonymous = app.publish(&id, &json!({"type": "a.b", "data": 7}));
    let read =
        app.operator(Method::GET, &format!("/v1/workspaces/{id}/events/{}", anonymous.text_at("/id"))).send();
    assert_eq!(read.expect(200).text_at("/time"), "2026-05-05T10:06:46.150Z", "the time of arrival");
    let other = app.workspace("native");
    app.operator(Method::GET, &format!("/v1/workspaces/{other}/events/e-1")).send().expect(404);
}

#[test]
fn the_same_id_is_the_same_event() {
    let app = App::new();
    let id = app.workspace("native");
    let first = app.publish(&id, &json!({"type": "a", "id": "x", "data": 1}));
    let again = app.publish(&id, &json!({"type": "a", "id": "x", "data": 1}));
    assert_eq!(first.body, again.body);
    let other = json!({"type": "a", "id": "x", "data": 2});
    app.operator(Method::POST, &format!("/v1/workspaces/{id}/events")).json(&other).send().expect(409);
}

#[test]
fn events_are_refused_with_every_reason_at_once() {
    let app = App::new();
    let native = app.workspace("native");
    let refused = |workspace: &str, body, pointers: &[&str]| {
        let answer =
            app.operator(Method::POST, &format!("/v1/workspaces/{workspace}/events")).json(&body).send();
        assert_eq!(answer.expect(422).pointers(), pointers, "{body}");
    };
    refused(&native, json!({}), &["/type", "/data"]);
    refused(
        &native,
        json!({"type": "a b", "data": 1, "id": "a.b", "subject": "", "ordering_key": "k\n"}),
        &["/type", "/subject", "/ordering_key", "/id"],
    );
    refused(
        &native,
        json!({"type": 1, "subject": 2, "id": 3, "time": 4, "ordering_key": 5}),
        &["/type", "/subject", "/ordering_key", "/id", "/time", "/data"],
    );
    refused(&native, json!({"type": "a", "data": 1, "time": "yesterday"}), &["/time"]);
    refused(&native, json!({"type": "a", "data": 1, "unknown": {}}), &["/unknown"]);
    let foreign = app.workspace("sigmamind");
    refused(&foreign, json!({"type": "order.paid", "data": 1}), &["/type", "/subject"]);
    let unknown =
        app.operator(Method::POST, "/v1/workspaces/ws_0/events").json(&json!({"type": "a", "data": 1}));
    unknown.send().expect(404);
    let list = app.operator(Method::GET, &format!("/v1/workspaces/{native}/events")).send();
    assert_eq!(list.json()["data"], json!([]), "nothing that was refused was stored");
}

#[test]
fn events_are_listed_newest_first_with_filters() {
    let app = App::new();
    let id = app.workspace("native");
    for n in 0..5 {
        let event = json!({"type": if n % 2 == 0 { "even" } else { "odd" }, "subject": "s s", "id": n.to_string(), "data": n});
        app.publish(&id, &event);
    }
    let ids = |query: &str| -> (Vec<String>, Option<String>) {
        let page = app
            .operator(Method::GET, &format!("/v1/workspaces/{id}/events{query}"))
            .send()
            .expect(200)
            .json();
        let rows = page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
        (rows.collect(), page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(ids("").0, ["4", "3", "2", "1", "0"]);
    assert_eq!(ids("?type=even").0, ["4", "2", "0"]);
    assert_eq!(ids("?type=even&subject=s%20s").0, ["4", "2", "0"]);
    assert_eq!(ids("?subject=s+s&type=odd").0, ["3", "1"]);
    assert_eq!(ids("?subject=other").0, [""; 0]);
    let (first, cursor) = ids("?limit=3");
    assert_eq!(first, ["4", "3", "2"]);
    assert_eq!(ids(&format!("?limit=3&cursor={}", cursor.unwrap())).0, ["1", "0"]);
}

#[test]
fn a_page_of_large_events_ends_early() {
    let app = App::new();
    let id = app.workspace("native");
    for _ in 0..10 {
        app.publish(&id, &json!({"type": "a", "data": "x".repeat(1_000_000)}));
    }
    let page = app.operator(Method::GET, &format!("/v1/workspaces/{id}/events")).send();
    assert_eq!(page.json()["data"].as_array().unwrap().len(), 8);
    let cursor = page.text_at("/next_cursor");
    let rest = app.operator(Method::GET, &format!("/v1/workspaces/{id}/events?cursor={cursor}")).send();
    assert_eq!(rest.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(rest.json()["next_cursor"], json!(null));
}
