//! OpenTrain's feed of events, by which a customer catches up.

use http::Method;
use serde_json::{Value, json};

use crate::opentrain::Customer;

/// Publishes an event and gives its place.
fn publish(customer: &Customer, event_type: &str, data: &Value) -> i64 {
    let event = json!({"type": event_type, "resourceId": "r", "jobId": null, "data": data});
    customer.app.publish(&customer.workspace, &event).json()["sequence"].as_i64().unwrap()
}

fn message(customer: &Customer, n: usize) -> i64 {
    publish(customer, "message.received", &json!({"conversationId": "c", "messageId": n}))
}

fn proposal(customer: &Customer, n: usize) -> i64 {
    publish(customer, "proposal.received", &json!({"proposalId": n, "jobId": "j"}))
}

fn page(customer: &Customer, token: &str, query: &str) -> Value {
    customer.call_as(token, Method::GET, &format!("/updates{query}")).expect(200).json()
}

fn ids(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_are_those_of_deliveries_oldest_first() {
    let customer = Customer::new();
    let event = r#"{"type": "proposal.received", "resourceId": "p 1", "jobId": "j 1", "time": "2026-06-12T10:00:00Z",
        "data": {"proposalId" : "p 1", "jobId": "j 1", "x": 1.50}}"#;
    let path = format!("/v1/workspaces/{}/events", customer.workspace);
    let first = customer.app.operator(Method::POST, &path).raw("application/json", event).send();
    let first = first.expect(202).json()["sequence"].as_i64().unwrap();
    let second = message(&customer, 2);
    let answer = customer.call(Method::GET, "/updates");
    assert_eq!(
        answer.expect(200).text(),
        format!(
            "{{\"events\":[{{\"id\":\"{first}\",\"type\":\"proposal.received\",\"apiVersion\":\"v1\",\
             \"createdAt\":\"2026-06-12T10:00:00.000Z\",\"resourceId\":\"p 1\",\"jobId\":\"j 1\",\
             \"data\":{{\"proposalId\" : \"p 1\", \"jobId\": \"j 1\", \"x\": 1.50}}}},\
             {{\"id\":\"{second}\",\"type\":\"message.received\",\"apiVersion\":\"v1\",\
             \"createdAt\":\"2026-05-05T10:06:46.150Z\",\"resourceId\":\"r\",\"jobId\":null,\
             \"data\":{{\"conversationId\":\"c\",\"messageId\":2}}}}],\"nextCursor\":\"{second}\",\"hasMore\":false}}"
        )
    );
}

#[test]
fn a_reader_with_a_cursor_sees_everything_once() {
    let customer = Customer::new();
    let token = &customer.token;
    let places: Vec<String> = (0..7).map(|n| message(&customer, n).to_string()).collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for (count, more) in [(3, true), (3, true), (1, false), (0, false)] {
        let page = page(&customer, token, &format!("?limit=3{cursor}"));
        assert_eq!((ids(&page).len(), &page["hasMore"]), (count, &json!(more)));
        seen.extend(ids(&page));
        cursor = format!("&cursor={}", page["nextCursor"].as_str().unwrap());
    }
    assert_eq!(seen, places);
    let late = message(&customer, 8).to_string();
    assert_eq!(ids(&page(&customer, token, &format!("?limit=3{cursor}"))), [late]);
    assert_eq!(ids(&page(&customer, token, "?cursor=0&unknown=1")).len(), 8);
}

#[test]
fn an_empty_page_has_a_cursor_to_keep() {
    let customer = Customer::new();
    let empty = page(&customer, &customer.token, "");
    assert_eq!((&empty["events"], &empty["hasMore"]), (&json!([]), &json!(false)));
    let kept = empty["nextCursor"].as_str().unwrap().to_owned();
    let place = message(&customer, 1).to_string();
    assert_eq!(
        ids(&page(&customer, &customer.token, &format!("?cursor={kept}"))),
        std::slice::from_ref(&place)
    );
    for beyond in [place.as_str(), "999999", "9223372036854775807", "99999999999999999999999", "0009999999"] {
        let empty = page(&customer, &customer.token, &format!("?cursor={beyond}"));
        assert_eq!(empty, json!({"events": [], "nextCursor": beyond, "hasMore": false}));
    }
}

#[test]
fn what_the_token_may_not_read_is_left_out_and_passed_over() {
    let customer = Customer::new();
    let first = proposal(&customer, 1);
    let second = message(&customer, 2);
    let third = proposal(&customer, 3);
    let token = customer.token_with(&["messages:write"]);
    let narrow = page(&customer, &token, "");
    assert_eq!(ids(&narrow), [second.to_string()]);
    assert_eq!(narrow["nextCursor"], json!(third.to_string()), "hidden events are passed over");
    let wide = customer.token_with(&["messages:read", "proposals:read"]);
    assert_eq!(ids(&page(&customer, &wide, "")), [first, second, third].map(|place| place.to_string()));
    assert_eq!(ids(&page(&customer, &wide, &format!("?cursor={third}"))), [""; 0]);
}

#[test]
fn the_feed_takes_one_scope_and_no_feature() {
    let customer = Customer::new();
    let place = message(&customer, 1).to_string();
    let workspace = format!("/v1/workspaces/{}", customer.workspace);
    customer.app.operator(Method::PATCH, &workspace).json(&json!({"features": []})).send().expect(200);
    assert_eq!(ids(&page(&customer, &customer.token_with(&["messages:read"]), "")), [place]);
    for scopes in [&[][..], &["webhooks:manage", "jobs:read", "team:write"]] {
        let refused = customer.call_as(&customer.token_with(scopes), Method::GET, "/updates?limit=0");
        assert_eq!(refused.expect(403).text_at("/code"), "FORBIDDEN");
        let required = json!({"requiredScopes": ["proposals:read", "messages:read", "payments:read"]});
        assert_eq!(refused.json()["details"], required);
    }
}

#[test]
fn cursors_and_limits_that_are_none_are_refused_by_name() {
    let customer = Customer::new();
    let long = format!("cursor={}", "1".repeat(65));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("limit=-1", "limit"),
        ("cursor=-1", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=%2B1", "cursor"),
        ("cursor=1.0", "cursor"),
        (&long, "cursor"),
        ("cursor=1&cursor=2", "cursor"),
    ] {
        let refused = customer.call(Method::GET, &format!("/updates?{query}"));
        assert_eq!(refused.expect(400).text_at("/code"), "BAD_REQUEST", "{query}");
        assert_eq!(refused.json()["details"], json!({"field": field}), "{query}");
    }
    for good in ["limit=1", "limit=100"] {
        page(&customer, &customer.token, &format!("?{good}"));
    }
}

/// An account keeps everything; one with a limit has a beginning that moves.
#[test]
fn an_account_keeps_its_events_unless_it_sets_a_limit() {
    let customer = Customer::new();
    let path = format!("/v1/workspaces/{}", customer.workspace);
    let shown = customer.app.operator(Method::GET, &path).send().expect(200).json();
    assert_eq!(shown["policy"]["event_retention_s"], Value::Null);
    let limit = json!({"policy": {"event_retention_s": 60}});
    let answer = customer.app.operator(Method::PATCH, &path).json(&limit).send();
    assert_eq!(answer.expect(200).json()["policy"]["event_retention_s"], 60);
}
