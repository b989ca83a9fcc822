//! SigmaMind's limits, field by field.

use http::Method;
use serde_json::{Value, json};

use crate::app::Answer;
use crate::sigmamind::Customer;
use crate::webhooks::urls;

/// A 400 that blames exactly these fields, in this order.
#[track_caller]
fn blames(answer: &Answer, fields: &[&str]) {
    let error = answer.expect(400).json();
    assert_eq!(error["message"], "Invalid request parameters");
    let messages = error["validationErrors"].as_object().unwrap();
    let mut expected = fields.to_vec();
    expected.sort_unstable();
    let mut blamed: Vec<&String> = messages.keys().collect();
    blamed.sort_unstable();
    assert_eq!(blamed, expected, "{}", answer.text());
    for (field, message) in messages {
        assert!(message.as_str().unwrap().starts_with(field.as_str()), "{message}");
    }
}

#[test]
fn names_and_agents_are_counted_in_characters() {
    let customer = Customer::new();
    for (name, fine) in [
        (json!(""), false),
        (json!("n"), true),
        (json!("n".repeat(128)), true),
        (json!("n".repeat(129)), false),
        (json!("🧀".repeat(128)), true),
        (json!("🧀".repeat(129)), false),
        (json!("a\0b"), false),
        (json!(7), false),
        (json!(null), false),
        (json!(["n"]), false),
    ] {
        let answer = customer.create(|body| body["name"] = name.clone());
        if fine {
            assert_eq!(answer.expect(201).json()["name"], name)
        } else {
            blames(&answer, &["name"])
        };
    }
    for (agent, fine) in [
        (json!(""), false),
        (json!("a"), true),
        (json!("ä".repeat(64)), true),
        (json!("a".repeat(65)), false),
        (json!("a\u{0}"), false),
        (json!("a\nb"), false),
        (json!(1), false),
        (json!(null), false),
    ] {
        let answer = customer.create(|body| body["agentId"] = agent.clone());
        if fine {
            assert_eq!(answer.expect(201).json()["agentId"], agent)
        } else {
            blames(&answer, &["agentId"])
        };
    }
}

#[test]
fn urls_match_the_pattern_and_are_urls() {
    let customer = Customer::new();
    for (url, fine) in urls() {
        let answer = customer.create(|body| body["url"] = json!(url));
        if fine {
            assert_eq!(answer.expect(201).json()["url"], json!(url))
        } else {
            blames(&answer, &["url"])
        };
    }
    for url in [json!("HTTPS://example.com"), json!("https://"), json!(null), json!(1), json!("")] {
        blames(&customer.create(|body| body["url"] = url.clone()), &["url"]);
    }
}

#[test]
fn events_are_a_set_of_the_catalogue() {
    let customer = Customer::new();
    let (ended, started) = ("conversation_ended", "conversation_started");
    let many = vec![ended; 256];
    for (given, kept) in [
        (json!([ended]), Some(json!([ended]))),
        (json!([started, ended, started]), Some(json!([started, ended]))),
        (json!(many), Some(json!([ended]))),
        (json!(vec![ended; 257]), None),
        (json!([]), None),
        (json!(ended), None),
        (json!(["conversation_analyzed"]), None),
        (json!(["Conversation_ended"]), None),
        (json!([ended, "node_executed"]), None),
        (json!(["*"]), None),
        (json!([ended, null]), None),
        (json!([ended, 1]), None),
        (json!({"0": ended}), None),
        (json!(null), None),
    ] {
        let answer = customer.create(|body| body["events"] = given.clone());
        match kept {
            Some(kept) => assert_eq!(answer.expect(201).json()["events"], kept),
            None => blames(&answer, &["events"]),
        }
    }
}

#[test]
fn every_broken_field_is_named_at_once_and_unknown_ones_too() {
    let customer = Customer::new();
    let post = |body: Value| customer.call_with(Method::POST, "/v1/webhooks", &body);
    blames(&post(json!({})), &["name", "agentId", "url", "events"]);
    let all =
        json!({"name": "", "agentId": 1, "url": "x", "events": [], "active": true, "secret": "s", "x": null});
    blames(&post(all), &["name", "agentId", "url", "events", "active", "secret", "x"]);
    blames(&customer.create(|body| body["active"] = json!(false)), &["active"]);
    blames(&customer.create(|body| body["secret"] = json!("s")), &["secret"]);
    let answer = post(json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": [1]}));
    assert_eq!(answer.json()["validationErrors"]["events"], "events[0] must be a string");
    assert_eq!(
        customer.call(Method::GET, "/v1/webhooks").json()["totalCount"],
        0,
        "nothing refused was stored"
    );
}

#[test]
fn updates_have_the_limits_of_creates() {
    let customer = Customer::new();
    let path = format!("/v1/webhooks/{}", customer.create(|_| ()).text_at("/webhookId"));
    let before = customer.call(Method::GET, &path).text();
    let patch = |body: Value| customer.call_with(Method::PATCH, &path, &body);
    let empty = patch(json!({}));
    assert!(empty.expect(400).json().get("validationErrors").is_none(), "no field is to blame");
    for field in ["agentId", "workspaceId", "webhookId", "secret", "unknown"] {
        blames(&patch(json!({"name": "good", field: "x"})), &[field]);
    }
    for field in ["name", "url", "events", "active"] {
        blames(&patch(json!({field: null})), &[field]);
        blames(&patch(json!({field: 7})), &[field]);
    }
    blames(
        &patch(json!({"name": "", "url": "ftp://x", "events": [], "active": "true"})),
        &["name", "url", "events", "active"],
    );
    assert_eq!(customer.call(Method::GET, &path).text(), before, "a refused update changes nothing");
}

#[test]
fn bad_pages_and_filters_are_refused() {
    let customer = Customer::new();
    for (query, field) in [
        ("page=-1", "page"),
        ("page=abc", "page"),
        ("page=", "page"),
        ("page=2147483648", "page"),
        ("page=1.0", "page"),
        ("size=0", "size"),
        ("size=-1", "size"),
        ("size=101", "size"),
        ("size=abc", "size"),
        ("active=maybe", "active"),
        ("active=", "active"),
        ("active=TRUE", "active"),
        ("agentId=", "agentId"),
        ("agentId=%ff", "agentId"),
        ("page=0&page=1", "page"),
    ] {
        blames(&customer.call(Method::GET, &format!("/v1/webhooks?{query}")), &[field]);
    }
    blames(&customer.call(Method::GET, "/v1/webhooks?page=-1&size=0&active=x"), &["page", "size", "active"]);
    for good in ["page=0&size=1", "size=100", "active=false", "agentId=a%20b"] {
        customer.call(Method::GET, &format!("/v1/webhooks?{good}")).expect(200);
    }
}
