//! OpenTrain's partner API: endpoints that can be changed, paused and sent to again.

use http::Method;
use serde_json::{Value, json};
use signalpost_store::Ledger;
use signalpost_store::ledger::{DueLanes, DuePage};
use signalpost_store::testing::block_on::block_on;

use crate::opentrain::Customer;

fn create(customer: &Customer) -> Value {
    let body = json!({"url": "https://example.com/partner", "eventTypes": ["contract.started"]});
    let made = customer.call_with(Method::POST, "/webhook-endpoints", &body);
    made.expect(201).json()
}

fn path(made: &Value) -> String {
    format!("/webhook-endpoints/{}", made["webhookEndpoint"]["id"].as_str().unwrap())
}

#[test]
fn an_endpoint_has_one_field_more() {
    let customer = Customer::partner();
    let made = create(&customer);
    let endpoint = &made["webhookEndpoint"];
    let read = customer.call(Method::GET, &path(&made));
    let id = endpoint["id"].as_str().unwrap();
    assert_eq!(
        read.expect(200).text(),
        format!(
            "{{\"webhookEndpoint\":{{\"id\":\"{id}\",\"url\":\"https://example.com/partner\",\
             \"eventTypes\":[\"contract.started\"],\"status\":\"ACTIVE\",\"createdAt\":\"2026-05-05T10:06:46.150Z\",\
             \"consecutiveFailures\":0,\"disabledAt\":null,\"disabledReason\":null}}}}"
        )
    );
    let list = customer.call(Method::GET, "/webhook-endpoints");
    assert_eq!(list.expect(200).json(), json!({"webhookEndpoints": [endpoint]}));
    assert!(made["message"].as_str().unwrap().contains("X-OpenTrain-Signature"));
    let missing = customer.call(Method::GET, "/webhook-endpoints/whe_0000000000000000");
    let details = missing.expect(404).json()["details"].clone();
    assert_eq!(details, json!({"resource": "webhookEndpoints", "endpointId": "whe_0000000000000000"}));
    let deleted = customer.call(Method::DELETE, &path(&made));
    assert_eq!(deleted.expect(200).json(), json!({"webhookEndpoint": endpoint, "deleted": true}));
    for other in ["/webhooks", "/updates", "/job-drafts/capabilities"] {
        customer.call(Method::GET, other).expect(404);
    }
}

#[test]
fn an_update_changes_what_is_sent_and_shows_no_secret() {
    let customer = Customer::partner();
    let made = create(&customer);
    let mut expected = made["webhookEndpoint"].clone();
    let change = |body: Value| customer.call_with(Method::PATCH, &path(&made), &body);
    assert_eq!(change(json!({})).expect(200).json(), json!({"webhookEndpoint": expected}));
    for (field, value) in [
        ("url", json!("https://example.com/other")),
        ("eventTypes", json!(["contract.ended", "install.revoked"])),
    ] {
        expected[field] = value.clone();
        assert_eq!(change(json!({field: value})).expect(200).json(), json!({"webhookEndpoint": expected}));
    }
    let off = change(json!({"status": "DISABLED"}));
    expected["status"] = json!("DISABLED");
    expected["disabledAt"] = json!("2026-05-05T10:06:46.150Z");
    expected["disabledReason"] = json!("Disabled by request");
    assert_eq!(off.expect(200).json(), json!({"webhookEndpoint": expected}));
    let on = change(json!({"status": "ACTIVE"}));
    expected["status"] = json!("ACTIVE");
    expected["disabledAt"] = json!(null);
    expected["disabledReason"] = json!(null);
    assert_eq!(on.expect(200).json(), json!({"webhookEndpoint": expected}));
    for (body, field) in [
        (json!({"status": "PAUSED"}), "status"),
        (json!({"status": null}), "status"),
        (json!({"url": "http://example.com"}), "url"),
        (json!({"eventTypes": []}), "eventTypes"),
        (json!({"eventTypes": ["proposal.received"]}), "eventTypes"),
        (json!({"secret": "whsec_x"}), "secret"),
    ] {
        assert_eq!(change(body.clone()).expect(400).json()["details"]["field"], field, "{body}");
    }
    change(json!(null)).expect(400);
    let nobody = customer.call_with(Method::PATCH, "/webhook-endpoints/whe_0000000000000000", &json!({}));
    nobody.expect(404);
}

#[test]
fn all_of_it_takes_one_scope_and_the_feature() {
    let customer = Customer::partner();
    let made = create(&customer);
    let token = customer.token_with(&["contracts:read", "usage:write"]);
    let calls = [
        (Method::POST, "/webhook-endpoints".to_owned()),
        (Method::GET, "/webhook-endpoints".to_owned()),
        (Method::GET, path(&made)),
        (Method::PATCH, path(&made)),
        (Method::DELETE, path(&made)),
    ];
    for (method, path) in &calls {
        let refused = customer.call_with_as(&token, method.clone(), path, &json!({}));
        let details = refused.expect(403).json()["details"].clone();
        assert_eq!(details, json!({"requiredScopes": ["webhooks:manage"]}), "{method} {path}");
    }
    let workspace = format!("/v1/workspaces/{}", customer.workspace);
    customer.app.operator(Method::PATCH, &workspace).json(&json!({"features": []})).send().expect(200);
    for (method, path) in &calls {
        let refused = customer.call_with(method.clone(), path, &json!({}));
        let details = refused.expect(403).json()["details"].clone();
        assert_eq!(details, json!({"featureKey": "annotation_platform"}), "{method} {path}");
    }
}

/// The last event is owed to those who want it, and nothing of the install is found any more.
#[test]
fn a_revoked_install_tells_its_endpoints() {
    let customer = Customer::partner();
    let other = create(&customer);
    let body = json!({"url": "https://example.com/revoked", "eventTypes": ["install.revoked"]});
    customer.call_with(Method::POST, "/webhook-endpoints", &body).expect(201);
    let event = json!({"type": "contract.started", "resourceId": "c1", "data": {}});
    customer.app.publish(&customer.workspace, &event).expect(202);
    let path_of_install = format!("/v1/workspaces/{}", customer.workspace);
    customer.app.operator(Method::DELETE, &path_of_install).send().expect(204);

    let store = &customer.app.store;
    let lanes = block_on(store.due_lanes(DueLanes { after: None, limit: 9 })).unwrap();
    let [lane] = lanes[..] else { panic!("one endpoint waits: {lanes:?}") };
    let due = block_on(store.due_page(DuePage { webhook: lane.webhook, limit: 9 })).unwrap();
    let event = block_on(store.events_by_id(vec![due[0].id.event])).unwrap().remove(0);
    assert_eq!((due.len(), event.content.event_type.as_str()), (1, "install.revoked"));
    let id = &customer.workspace;
    assert_eq!(event.content.attributes, [("resourceId".to_owned(), format!("\"{id}\""))]);
    assert_eq!(event.content.data, format!("{{\"installId\":\"{id}\"}}"));

    customer.call(Method::GET, &path(&other)).expect(401);
    customer.app.operator(Method::GET, &path_of_install).send().expect(404);
    customer.app.operator(Method::DELETE, &path_of_install).send().expect(404);
}
