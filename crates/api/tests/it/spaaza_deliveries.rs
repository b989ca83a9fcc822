//! What Spaaza's webhooks are sent.

use std::task::{Context, Poll, Waker};

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signalpost_core::ports::OutboundRequest;

use crate::core::{Beside, running, settle};
use crate::spaaza::{Customer, id_at};

const SIGNATURE: &str = "x-spaaza-hmac-sha256";

fn header(request: &OutboundRequest, name: &str) -> Option<String> {
    let open = request.headers.iter().map(|(known, value)| (known, value.as_str()));
    let secret = request.secret_headers.iter().map(|(known, value)| (known, value.expose_text()));
    let mut values = open.chain(secret).filter(|(known, _)| ***known == *name);
    let value = values.next().map(|(_, value)| value.to_owned());
    assert!(values.next().is_none(), "{name} stands several times");
    value
}

/// HMAC-SHA256 (RFC 2104) with a key that fits into a block, in base64.
fn hmac(key: &str, content: &[u8]) -> String {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(content).finalize();
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    BASE64.encode(outer)
}

/// A call while the core runs beside it.
fn sent_beside(customer: &Customer, beside: &mut Beside, method: Method, call: &str) -> u16 {
    let mut answer = customer.call(method, call).begin(Body::empty());
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        if let Poll::Ready(response) = answer.as_mut().poll(&mut cx) {
            return response.status().as_u16();
        }
        settle(&customer.app, beside);
    }
    panic!("{call} was never answered");
}

#[test]
fn a_delivery_has_the_envelope_the_signature_and_the_login() {
    let customer = Customer::new();
    let (signature, value) = customer.signature();
    let made = customer.add(|body| {
        body["webhook_signature_id"] = json!(signature);
        body["identifier_key"] = json!("user-1");
        body["identifier_secret"] = json!("s3cret: ü");
    });
    made.expect(200);
    let (receiver, mut beside) = running(&customer.app);
    let event = json!({
        "type": "shopper.voucher-issued", "id": "voucher678599", "time": "2022-05-06T11:50:28.900Z",
        "data": {"voucher_id": 678_599}
    });
    let publish = |customer: &Customer, beside: &mut Beside, event: &Value| {
        customer.app.publish(&customer.chain, event);
        settle(&customer.app, beside);
        receiver.0.borrow_mut().drain(..).collect::<Vec<OutboundRequest>>()
    };
    let [request] = &publish(&customer, &mut beside, &event)[..] else { panic!("one request") };
    let chain = &customer.chain;
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        format!(
            "{{\"id\":\"voucher678599\",\"type\":\"shopper.voucher-issued\",\"chain_id\":{chain},\
             \"created\":\"2022-05-06T11:50:28Z\",\"data\":{{\"voucher_id\":678599}}}}"
        )
    );
    assert_eq!(header(request, SIGNATURE), Some(hmac(&value, &request.body)));
    let login = format!("Basic {}", BASE64.encode("user-1:s3cret: ü"));
    assert_eq!(header(request, "authorization"), Some(login));
    assert_eq!(header(request, "content-type").as_deref(), Some("application/json"));
    assert_eq!(header(request, "user-agent").as_deref(), Some("Spaaza-Webhooks/1.0"));
    let again = publish(&customer, &mut beside, &event);
    assert_eq!(again.len(), 1, "the same id is another event");

    let deleted = format!("delete-webhook-signature?id={signature}");
    assert_eq!(sent_beside(&customer, &mut beside, Method::DELETE, &deleted), 200);
    let [unsigned] = &publish(&customer, &mut beside, &event)[..] else { panic!("one request") };
    assert_eq!(header(unsigned, SIGNATURE), None);
    assert!(header(unsigned, "authorization").is_some());
}

#[test]
fn a_receipt_is_sent_as_it_is_and_half_a_login_is_none() {
    let customer = Customer::new();
    let made = customer.add(|body| {
        body["event_name"] = json!("shopper.receipt-created");
        body["identifier_key"] = json!("user-1");
    });
    id_at(made.expect(200), "/results/webhook/id");
    let (receiver, mut beside) = running(&customer.app);
    let basket = json!({"id": 7, "chain_id": 1743, "type": "in_store"});
    customer.app.publish(&customer.chain, &json!({"type": "shopper.receipt-created", "data": basket}));
    settle(&customer.app, &mut beside);
    let sent = receiver.0.borrow();
    let [request] = &sent[..] else { panic!("one request") };
    assert_eq!(String::from_utf8_lossy(&request.body), basket.to_string());
    assert_eq!((header(request, "authorization"), header(request, SIGNATURE)), (None, None));
    let events = format!("/v1/workspaces/{}/events", customer.chain);
    for bad in [
        json!({"type": "shopper.receipt-created", "data": [1]}),
        json!({"type": "nothing.known", "data": {}}),
    ] {
        customer.app.operator(Method::POST, &events).json(&bad).send().expect(422);
    }
}
