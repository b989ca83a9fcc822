//! OpenTrain's shapes under another product's names.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::{Dialect, ShapeValues, built_in_shapes};
use signalpost_core::event_rule::{DataRule, EventKind};

use crate::app::App;
use crate::opentrain::Customer;

fn branded(shape: &str, changes: Value) -> Dialect {
    let shape = built_in_shapes().into_iter().find(|known| known.name == shape).unwrap();
    let changes: ShapeValues = changes.as_object().cloned().unwrap();
    shape.dialect(&changes).unwrap()
}

fn market() -> Dialect {
    branded(
        "opentrain",
        json!({
            "name": "market", "base_path": "/market/v1", "header_prefix": "X-Market-", "user_agent": "Market/1",
            "collection": "hooks", "object": "hook", "objects": "hooks", "id_name": "hookId",
            "calls": ["create", "list", "get", "update", "delete", "updates"],
            "scopes": ["orders:read", "shops:read", "hooks:admin"], "manage_scope": "hooks:admin",
            "feature": "hooks", "workspace_id_prefix": "m_", "webhook_id_prefix": "h_", "token_prefix": "mkt_",
            "events": ["shop.opened", {"type": "order.paid", "scope": "orders:read", "data": ["orderId"]}],
            "webhooks_max": 2, "retry_schedule_s": [1, 2], "disable_after_failures": 3, "feed_rows_max": 5,
            "feed_rows_default": 5
        }),
    )
}

#[test]
fn nothing_of_the_vendors_is_left() {
    let dialect = market();
    let kinds = [
        EventKind::with_data("shop.opened", DataRule::Object { members: Vec::new() }),
        EventKind::with_data("order.paid", DataRule::Object { members: vec!["orderId".to_owned()] }),
    ];
    assert_eq!(dialect.profile.catalogue.as_deref(), Some(&kinds[..]));
    let delivery = &dialect.profile.delivery;
    let names: Vec<&str> = delivery.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["content-type", "user-agent", "x-market-event", "x-market-delivery"]);
    assert_eq!(&*delivery.signature.header, "x-market-signature");
    assert_eq!(delivery.policy.retry.as_seconds(), [1, 2]);
    assert_eq!(delivery.policy.disable.consecutive_failures, Some(3));
    let app = App::with_dialects(vec![dialect]);
    let document = app.operator_stranger(Method::GET, "/openapi/market.json").send();
    let text = document.expect(200).text().to_ascii_lowercase();
    for word in ["opentrain", "proposal", "ot_pat", "webhooks:manage", "public_api"] {
        assert!(!text.contains(word), "{word}");
    }
    let paths = document.json()["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths, ["/market/v1/hooks", "/market/v1/hooks/{hookId}", "/market/v1/updates"]);
}

#[test]
fn a_customer_meets_the_products_own_words() {
    let customer = Customer::of(App::with_dialects(vec![market()]), "market", "/market/v1");
    assert!(customer.token.starts_with("mkt_") && customer.workspace.starts_with("m_"));
    let body = json!({"url": "https://example.com", "eventTypes": ["shop.opened", "order.paid"]});
    let made = customer.call_with(Method::POST, "/hooks", &body);
    let id = made.expect(201).text_at("/hook/id");
    assert!(id.starts_with("h_") && made.text_at("/message").contains("X-Market-Signature"));
    assert_eq!(customer.call(Method::GET, "/hooks").expect(200).json()["hooks"][0]["id"], json!(id));
    let changed = customer.call_with(Method::PATCH, &format!("/hooks/{id}"), &json!({"status": "DISABLED"}));
    assert_eq!(changed.expect(200).text_at("/hook/status"), "DISABLED");
    let missing = customer.call(Method::GET, "/hooks/h_0000000000000000");
    let details = missing.expect(404).json()["details"].clone();
    assert_eq!(details, json!({"resource": "hooks", "hookId": "h_0000000000000000"}));
    customer.call_with(Method::POST, "/hooks", &body).expect(201);
    let limit = customer.call_with(Method::POST, "/hooks", &body);
    assert_eq!(limit.expect(409).json()["details"]["limit"], json!(2));

    let narrow = customer.token_with(&["hooks:admin"]);
    let types = |types: Value| {
        let body = json!({"url": "https://example.com", "eventTypes": types});
        customer.call_with_as(&narrow, Method::PATCH, &format!("/hooks/{id}"), &body)
    };
    types(json!(["shop.opened"])).expect(200);
    let refused = types(json!(["order.paid"]));
    let required = json!({"requiredScopes": ["orders:read"], "eventTypes": ["order.paid"]});
    assert_eq!(refused.expect(403).json()["details"], required);

    for event_type in ["shop.opened", "order.paid"] {
        let event = json!({"type": event_type, "resourceId": "r", "data": {"orderId": 1}});
        customer.app.publish(&customer.workspace, &event);
    }
    let seen = |token: &str| {
        let page = customer.call_as(token, Method::GET, "/updates").expect(200).json();
        page["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&narrow), ["shop.opened"], "a type without a scope is for every token");
    assert_eq!(seen(&customer.token), ["shop.opened", "order.paid"]);
    customer.call(Method::GET, "/job-drafts/capabilities").expect(404);
}

#[test]
fn credentials_of_one_product_are_none_of_another() {
    let partner = branded("opentrain-partner", json!({"name": "other", "base_path": "/other/v1"}));
    let customer = Customer::of(App::with_dialects(vec![market(), partner]), "market", "/market/v1");
    let theirs = customer.app.key(&customer.app.workspace("other"));
    let list = |path: &str, token: &str| {
        let call = customer.app.public(Method::GET, path);
        call.header("authorization", &format!("Bearer {token}")).send().status.as_u16()
    };
    assert_eq!(list("/market/v1/hooks", &customer.token), 200);
    assert_eq!(list("/other/v1/webhook-endpoints", &theirs), 200);
    assert_eq!(list("/market/v1/hooks", &theirs), 401);
    assert_eq!(list("/other/v1/webhook-endpoints", &customer.token), 401);
}
