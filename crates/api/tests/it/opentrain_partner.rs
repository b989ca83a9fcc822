//! OpenTrain's partner API: endpoints that can be changed, paused and sent to again.

use http::Method;
use serde_json::{Value, json};
use signalpost_store::Ledger;
use signalpost_store::ledger::{DueLanes, DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;

use crate::core::{Beside, running, settle};
use crate::opentrain::{Customer, PARTNER};

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
        (Method::POST, format!("{}/redeliver", path(&made))),
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
    let due =
        block_on(store.due_page(DuePage { webhook: lane.webhook, limit: 9, order: DueOrder::OLDEST_FIRST }))
            .unwrap();
    let event = block_on(store.events_by_id(vec![due[0].id.event])).unwrap().remove(0);
    assert_eq!((due.len(), event.content.event_type.as_str()), (1, "install.revoked"));
    let id = &customer.workspace;
    assert_eq!(event.content.attributes, [("resourceId".to_owned(), format!("\"{id}\""))]);
    assert_eq!(event.content.data, format!("{{\"installId\":\"{id}\"}}"));

    customer.call(Method::GET, &path(&other)).expect(401);
    customer.app.operator(Method::GET, &path_of_install).send().expect(404);
    customer.app.operator(Method::DELETE, &path_of_install).send().expect(404);
}

/// The ids of an endpoint's deliveries, newest first.
fn deliveries(customer: &Customer, made: &Value) -> Vec<String> {
    let id = made["webhookEndpoint"]["id"].as_str().unwrap();
    let path = format!("/v1/workspaces/{}/deliveries?webhook={id}", customer.workspace);
    let listed = customer.app.operator(Method::GET, &path).send().expect(200).json();
    listed["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Switches an endpoint on or off. The call waits for the core, which runs when it is settled and not before.
fn switch(customer: &Customer, beside: &mut Beside, made: &Value, status: &str) {
    let call = customer.app.public(Method::PATCH, &format!("{PARTNER}{}", path(made)));
    let call = call.header("authorization", &format!("Bearer {}", customer.token));
    call.json(&json!({"status": status})).abandon();
    settle(&customer.app, beside);
    let shown = customer.call(Method::GET, &path(made));
    assert_eq!(shown.expect(200).text_at("/webhookEndpoint/status"), status);
}

#[test]
fn a_delivery_is_sent_again_whatever_became_of_it() {
    let customer = Customer::partner();
    let (receiver, mut beside) = running(&customer.app);
    let (made, other) = (create(&customer), create(&customer));
    let event = json!({"type": "contract.started", "resourceId": "c", "data": {}});
    customer.app.publish(&customer.workspace, &event);
    settle(&customer.app, &mut beside);
    assert_eq!(receiver.0.borrow().len(), 2);
    let delivery = deliveries(&customer, &made).remove(0);
    let redeliver =
        |body: &Value| customer.call_with(Method::POST, &format!("{}/redeliver", path(&made)), body);
    let again = redeliver(&json!({"deliveryId": delivery}));
    let shown = customer.call(Method::GET, &path(&made)).json()["webhookEndpoint"].clone();
    let message = "Requeued deliveries will be attempted right away.";
    let expected = json!({"webhookEndpoint": shown, "requeued": 1, "message": message});
    assert_eq!(again.expect(200).json(), expected);
    settle(&customer.app, &mut beside);
    assert_eq!(receiver.0.borrow().len(), 3);
    assert_eq!(redeliver(&json!({})).expect(200).json()["requeued"], json!(0), "none has failed");
    let empty = customer.call(Method::POST, &format!("{}/redeliver", path(&made)));
    assert_eq!(empty.expect(200).json()["requeued"], json!(0), "no body stands for an empty object");
    switch(&customer, &mut beside, &made, "DISABLED");
    let waiting = redeliver(&json!({"deliveryId": delivery}));
    let message = "Requeued deliveries will be attempted once the endpoint is ACTIVE again.";
    assert_eq!(waiting.expect(200).text_at("/message"), message);
    settle(&customer.app, &mut beside);
    assert_eq!(receiver.0.borrow().len(), 3, "nothing is sent while it is off");
    switch(&customer, &mut beside, &made, "ACTIVE");
    assert_eq!(receiver.0.borrow().len(), 4);

    let theirs = deliveries(&customer, &other).remove(0);
    for id in [theirs.as_str(), "dlv_0000000000000000000000", "nonsense", ""] {
        let missing = redeliver(&json!({"deliveryId": id}));
        let details = json!({"resource": "deliveries", "deliveryId": id});
        assert_eq!(missing.expect(404).json()["details"], details, "{id}");
    }
}

#[test]
fn what_is_no_request_to_send_again_is_refused() {
    let customer = Customer::partner();
    let made = create(&customer);
    let path = format!("{}/redeliver", path(&made));
    for (body, field) in [
        (json!({"deliveryId": 7}), "deliveryId"),
        (json!({"deliveryId": null}), "deliveryId"),
        (json!({"all": true}), "all"),
    ] {
        let refused = customer.call_with(Method::POST, &path, &body);
        assert_eq!(refused.expect(400).json()["details"], json!({"field": field}), "{body}");
    }
    for body in [json!(null), json!([])] {
        customer.call_with(Method::POST, &path, &body).expect(400);
    }
    let nobody = "/webhook-endpoints/whe_0000000000000000/redeliver";
    let details = customer.call(Method::POST, nobody).expect(404).json()["details"].clone();
    assert_eq!(details, json!({"resource": "webhookEndpoints", "endpointId": "whe_0000000000000000"}));
    let stranger = customer.app.key(&customer.app.workspace("opentrain-partner"));
    customer.call_as(&stranger, Method::POST, &path).expect(404);
}

#[test]
fn a_revoked_install_hears_of_it_and_of_nothing_more() {
    let customer = Customer::partner();
    let (receiver, mut beside) = running(&customer.app);
    let body = json!({"url": "https://example.com/partner", "eventTypes": ["install.revoked"]});
    customer.call_with(Method::POST, "/webhook-endpoints", &body).expect(201);
    create(&customer);
    let install = format!("/v1/workspaces/{}", customer.workspace);
    customer.app.operator(Method::DELETE, &install).abandon();
    settle(&customer.app, &mut beside);
    customer.call(Method::GET, "/webhook-endpoints").expect(401);
    let sent = receiver.0.borrow();
    let bodies: Vec<Value> =
        sent.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(bodies.len(), 1, "only the endpoint that wants to know");
    assert_eq!(bodies[0]["type"], "install.revoked");
    assert_eq!(bodies[0]["resourceId"], json!(customer.workspace));
    assert_eq!(bodies[0]["jobId"], json!(null));
    assert_eq!(bodies[0]["data"], json!({"installId": customer.workspace}));
}
