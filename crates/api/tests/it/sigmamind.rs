//! SigmaMind's five operations, as contracted.

use http::Method;
use serde_json::{Value, json};
use signalpost_api::dialect::sigmamind::Instance;

use crate::app::{Answer, App};

pub(crate) struct Customer {
    pub(crate) app: App,
    pub(crate) workspace: String,
    pub(crate) key: String,
}

impl Customer {
    pub(crate) fn new() -> Self {
        let app = App::new();
        let workspace = app.workspace("sigmamind");
        let key = app.key(&workspace);
        Self { app, workspace, key }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Answer {
        self.app.public(method, path).key(&self.key).send()
    }

    pub(crate) fn call_with(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.app.public(method, path).key(&self.key).json(body).send()
    }

    pub(crate) fn create(&self, change: impl Fn(&mut Value)) -> Answer {
        let mut body = json!({
            "name": "Call Events - Production",
            "agentId": "D5D0p7TUs66TTAEAx",
            "url": "https://yourapp.com/webhooks/sigmamind",
            "events": ["conversation_started", "conversation_ended"]
        });
        change(&mut body);
        self.call_with(Method::POST, "/v1/webhooks", &body)
    }
}

#[test]
fn create_answers_the_documented_fields_in_their_order_with_the_secret() {
    let customer = Customer::new();
    let made = customer.create(|_| ());
    let (id, secret) = (made.expect(201).text_at("/webhookId"), made.text_at("/secret"));
    assert_eq!(
        made.text(),
        format!(
            "{{\"workspaceId\":\"{}\",\"webhookId\":\"{id}\",\"name\":\"Call Events - Production\",\
             \"agentId\":\"D5D0p7TUs66TTAEAx\",\"active\":true,\"secret\":\"{secret}\",\
             \"events\":[\"conversation_started\",\"conversation_ended\"],\
             \"url\":\"https://yourapp.com/webhooks/sigmamind\"}}",
            customer.workspace
        )
    );
    assert!(id.starts_with("wh_") && id.len() == 19);
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(made.header("content-type"), "application/json");
    assert_eq!(made.header("cache-control"), "no-store");
    let read = customer.call(Method::GET, &format!("/v1/webhooks/{id}"));
    assert_eq!(read.expect(200).text(), made.text().replace(&format!("\"secret\":\"{secret}\","), ""));
    assert!(customer.call(Method::HEAD, &format!("/v1/webhooks/{id}")).expect(200).body.is_empty());
}

#[test]
fn the_list_has_its_wrapper_filters_and_pages() {
    let customer = Customer::new();
    let list = |query: &str| customer.call(Method::GET, &format!("/v1/webhooks{query}")).expect(200).text();
    let empty = "{\"data\":[],\"page\":0,\"size\":10,\"totalCount\":0,\"totalPages\":0,\"hasNext\":false,\"hasPrevious\":false}";
    assert_eq!(list(""), empty);
    assert!(list("?page=1").contains("\"hasPrevious\":false"), "no page has anything");
    let ids: Vec<String> = (0..12)
        .map(|n| {
            customer.create(|body| body["agentId"] = json!(format!("agent{}", n % 2))).text_at("/webhookId")
        })
        .collect();
    let off = format!("/v1/webhooks/{}", ids[0]);
    customer.call_with(Method::PATCH, &off, &json!({"active": false})).expect(200);
    let page = |query: &str| -> Value { serde_json::from_str(&list(query)).unwrap() };
    let summary = |page: &Value| {
        let count = page["data"].as_array().unwrap().len();
        json!([
            count,
            page["page"],
            page["size"],
            page["totalCount"],
            page["totalPages"],
            page["hasNext"],
            page["hasPrevious"]
        ])
    };
    let first = page("");
    assert_eq!(summary(&first), json!([10, 0, 10, 11, 2, true, false]));
    assert_eq!(first["data"][0]["webhookId"], json!(ids[11]), "newest first");
    assert!(first["data"][0].get("secret").is_none());
    assert_eq!(summary(&page("?page=1")), json!([1, 1, 10, 11, 2, false, true]));
    assert_eq!(summary(&page("?page=1&size=11")), json!([0, 1, 11, 11, 1, false, true]));
    assert_eq!(summary(&page("?size=11")), json!([11, 0, 11, 11, 1, false, false]));
    assert_eq!(
        summary(&page("?page=2147483647&size=100")),
        json!([0, 2_147_483_647, 100, 11, 1, false, true])
    );
    assert_eq!(summary(&page("?active=true&agentId=agent0")), json!([5, 0, 10, 5, 1, false, false]));
    assert_eq!(summary(&page("?active=false")), json!([1, 0, 10, 1, 1, false, false]));
    assert_eq!(summary(&page("?active=false&agentId=agent1")), json!([0, 0, 10, 0, 0, false, false]));
    assert_eq!(summary(&page("?unknown=ignored")), json!([10, 0, 10, 11, 2, true, false]));
}

#[test]
fn update_changes_what_is_sent_and_delete_is_final() {
    let customer = Customer::new();
    let made = customer.create(|_| ());
    let path = format!("/v1/webhooks/{}", made.text_at("/webhookId"));
    let mut expected = made.json();
    expected.as_object_mut().unwrap().remove("secret");
    for (field, value) in [
        ("name", json!("After")),
        ("url", json!("http://yourapp.com/x")),
        ("events", json!(["conversation_analysed"])),
        ("active", json!(false)),
        ("active", json!(true)),
    ] {
        expected[field] = value.clone();
        assert_eq!(
            customer.call_with(Method::PATCH, &path, &json!({field: value})).expect(200).json(),
            expected
        );
    }
    assert_eq!(customer.call(Method::GET, &path).json(), expected);
    let gone = customer.call(Method::DELETE, &path);
    gone.expect(204);
    assert!(gone.body.is_empty() && gone.header("content-type").is_empty());
    customer.call(Method::GET, &path).expect(404);
    customer.call(Method::DELETE, &path).expect(404);
    customer.call_with(Method::PATCH, &path, &json!({"active": true})).expect(404);
}

#[test]
fn events_reach_webhooks_of_their_agent_and_type_while_active() {
    let customer = Customer::new();
    let path = format!(
        "/v1/webhooks/{}",
        customer.create(|body| body["agentId"] = json!("a1")).text_at("/webhookId")
    );
    let deliveries = |event_type: &str, agent: &str| {
        let event = json!({"type": event_type, "subject": agent, "data": {}});
        customer.app.publish(&customer.workspace, &event).json()["deliveries"].clone()
    };
    assert_eq!(deliveries("conversation_ended", "a1"), 1);
    assert_eq!(deliveries("conversation_ended", "a2"), 0);
    assert_eq!(deliveries("conversation_analysed", "a1"), 0);
    customer.call_with(Method::PATCH, &path, &json!({"active": false})).expect(200);
    assert_eq!(deliveries("conversation_ended", "a1"), 0);
}

#[test]
fn a_platform_can_brand_the_shape() {
    let acme = Instance {
        name: "acme".to_owned(),
        base_path: "/acme/v1".to_owned(),
        api_key_header: "X-Acme-Key".to_owned(),
        events: vec!["order.paid".to_owned()],
        webhook_id_prefix: "hook_".to_owned(),
        api_key_prefix: "acme_".to_owned(),
        page_rows_default: 5,
        page_rows_max: 5,
        ..Instance::default()
    };
    let app = App::with_dialects(vec![acme.dialect().unwrap(), Instance::default().dialect().unwrap()]);
    let workspace = app.workspace("acme");
    let key = app.key(&workspace);
    assert!(key.starts_with("acme_"));
    let call = |method: Method, path: &str| app.public(method, path).header("x-acme-key", &key);
    let body = json!({"name": "n", "agentId": "a", "url": "https://x.y", "events": ["order.paid"]});
    let made = call(Method::POST, "/acme/v1/webhooks").json(&body).send();
    assert!(made.expect(201).text_at("/webhookId").starts_with("hook_"));
    call(Method::GET, "/acme/v1/webhooks?size=6").send().expect(400);
    let refused = app.public(Method::GET, "/acme/v1/webhooks").send();
    assert_eq!(refused.expect(401).text_at("/message"), "X-Acme-Key is missing or invalid");
    assert_eq!(refused.text_at("/path"), "/acme/v1/webhooks");
    app.public(Method::GET, "/v1/webhooks").key(&key).send().expect(401);
}
