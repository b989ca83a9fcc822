//! OpenTrain's public API, as contracted.

use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App};

pub(crate) const PUBLIC: &str = "/api/public/v1";
pub(crate) const PARTNER: &str = "/api/partner/v1";

/// A workspace of one of the shapes with a token.
pub(crate) struct Customer {
    pub(crate) app: App,
    pub(crate) workspace: String,
    pub(crate) token: String,
    base: &'static str,
}

impl Customer {
    /// An account, with a token that may do everything.
    pub(crate) fn new() -> Self {
        Self::of(App::new(), "opentrain", PUBLIC)
    }

    /// An install.
    pub(crate) fn partner() -> Self {
        Self::of(App::new(), "opentrain-partner", PARTNER)
    }

    pub(crate) fn of(app: App, dialect: &str, base: &'static str) -> Self {
        let workspace = app.workspace(dialect);
        let token = app.key(&workspace);
        Self { app, workspace, token, base }
    }

    /// Another token of the workspace.
    pub(crate) fn token_with(&self, scopes: &[&str]) -> String {
        let path = format!("/v1/workspaces/{}/credentials", self.workspace);
        let answer = self.app.operator(Method::POST, &path).json(&json!({"scopes": scopes})).send();
        answer.expect(201).text_at("/secret")
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Answer {
        self.call_as(&self.token, method, path)
    }

    pub(crate) fn call_as(&self, token: &str, method: Method, path: &str) -> Answer {
        let call = self.app.public(method, &format!("{}{path}", self.base));
        call.header("authorization", &format!("Bearer {token}")).send()
    }

    pub(crate) fn call_with(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.call_with_as(&self.token, method, path, body)
    }

    pub(crate) fn call_with_as(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let call = self.app.public(method, &format!("{}{path}", self.base)).json(body);
        call.header("authorization", &format!("Bearer {token}")).send()
    }

    /// Creates a webhook of the public API.
    pub(crate) fn create(&self, change: impl Fn(&mut Value)) -> Answer {
        let mut body = json!({
            "url": "https://example.com/hooks/opentrain",
            "eventTypes": ["proposal.received", "message.received"]
        });
        change(&mut body);
        self.call_with(Method::POST, "/webhooks", &body)
    }
}

#[test]
fn create_answers_the_documented_fields_in_their_order_with_the_secret() {
    let customer = Customer::new();
    let made = customer.create(|_| ());
    let (id, secret) = (made.expect(201).text_at("/webhook/id"), made.text_at("/secret"));
    assert_eq!(
        made.text(),
        format!(
            "{{\"webhook\":{{\"id\":\"{id}\",\"url\":\"https://example.com/hooks/opentrain\",\
             \"eventTypes\":[\"proposal.received\",\"message.received\"],\"status\":\"ACTIVE\",\
             \"createdAt\":\"2026-05-05T10:06:46.150Z\",\"disabledAt\":null,\"disabledReason\":null}},\
             \"secret\":\"{secret}\",\"message\":\"Store the secret now — it is only returned once. Use it to verify \
             the X-OpenTrain-Signature header on deliveries.\"}}"
        )
    );
    assert!(id.starts_with("wh_") && id.len() == 19);
    let digits = secret.strip_prefix("whsec_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!((made.header("content-type"), made.header("cache-control")), ("application/json", "no-store"));
    let read = customer.call(Method::GET, &format!("/webhooks/{id}"));
    assert_eq!(read.expect(200).json(), json!({"webhook": made.json()["webhook"]}));
}

#[test]
fn the_list_is_whole_and_newest_first() {
    let customer = Customer::new();
    assert_eq!(customer.call(Method::GET, "/webhooks").expect(200).text(), "{\"webhooks\":[]}");
    let mut made: Vec<Value> = (0..10).map(|_| customer.create(|_| ()).json()["webhook"].clone()).collect();
    made.reverse();
    let list = customer.call(Method::GET, "/webhooks?limit=1&cursor=nonsense");
    assert_eq!(list.expect(200).json(), json!({"webhooks": made}), "there are no parameters");
}

#[test]
fn delete_answers_the_last_state_and_is_final() {
    let customer = Customer::new();
    let made = customer.create(|_| ());
    let path = format!("/webhooks/{}", made.text_at("/webhook/id"));
    let deleted = customer.call(Method::DELETE, &path);
    assert_eq!(deleted.expect(200).json(), json!({"webhook": made.json()["webhook"], "deleted": true}));
    for method in [Method::GET, Method::DELETE] {
        customer.call(method, &path).expect(404);
    }
    assert_eq!(customer.call(Method::GET, "/webhooks").text(), "{\"webhooks\":[]}");
}

#[test]
fn there_may_be_ten_and_deleting_one_makes_room() {
    let customer = Customer::new();
    let first = customer.create(|_| ()).text_at("/webhook/id");
    for _ in 1..10 {
        customer.create(|_| ()).expect(201);
    }
    let refused = customer.create(|_| ());
    assert_eq!(refused.expect(409).text_at("/code"), "CONFLICT");
    assert_eq!(refused.json()["details"], json!({"reason": "webhook_limit_reached", "limit": 10}));
    customer.call(Method::DELETE, &format!("/webhooks/{first}")).expect(200);
    customer.create(|_| ()).expect(201);
}

#[test]
fn event_types_are_a_set_of_the_catalogue() {
    let customer = Customer::new();
    let made = customer.create(|body| {
        body["eventTypes"] = json!(["message.received", "proposal.received", "message.received"]);
    });
    assert_eq!(
        made.expect(201).json()["webhook"]["eventTypes"],
        json!(["message.received", "proposal.received"])
    );
    let refused = customer.create(|body| body["eventTypes"] = json!(["message.received", "x", "y", "x"]));
    let details = refused.expect(400).json()["details"].clone();
    assert_eq!(
        (&details["field"], &details["unknownEventTypes"]),
        (&json!("eventTypes"), &json!(["x", "y"]))
    );
    assert_eq!(details["supportedEventTypes"].as_array().unwrap().len(), 8);
    let many: Vec<String> = (0..10_000).map(|_| "x".to_owned()).collect();
    for bad in [json!([]), json!(null), json!("message.received"), json!([1]), json!(many)] {
        let refused = customer.create(|body| body["eventTypes"] = bad.clone());
        assert_eq!(
            refused.expect(400).json()["details"],
            json!({"field": "eventTypes"}),
            "{}",
            refused.text()
        );
    }
}

#[test]
fn a_url_is_https_or_leads_to_this_machine() {
    let customer = Customer::new();
    let of_length = |length: usize| {
        let start = "https://example.com/";
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let made = |customer: &Customer, url: &str| {
        let made = customer.create(|body| body["url"] = json!(url));
        if made.status == 201 {
            customer.call(Method::DELETE, &format!("/webhooks/{}", made.text_at("/webhook/id"))).expect(200);
        } else {
            assert_eq!(made.expect(400).json()["details"], json!({"field": "url"}), "{url}");
            assert_eq!(made.text_at("/code"), "BAD_REQUEST");
        }
        made.status == 201
    };
    for good in ["https://example.com", "http://localhost:3000/x", "http://127.0.0.1:8000", "http://[::1]/"] {
        assert!(made(&customer, good), "{good}");
    }
    assert!(made(&customer, &of_length(2_048)) && !made(&customer, &of_length(2_049)));
    for bad in [
        "",
        "example.com",
        "/x",
        "ftp://example.com",
        "http://example.com",
        "http://10.1.2.3/",
        "https://a@b/",
    ] {
        assert!(!made(&customer, bad), "{bad}");
    }
    let opened = Customer::of(App::with_opened("10.1.0.0/16"), "opentrain", PUBLIC);
    assert!(made(&opened, "http://10.1.2.3/") && !made(&opened, "http://10.2.2.3/"));
}

#[test]
fn capabilities_are_told_to_any_token() {
    let customer = Customer::new();
    let token = customer.token_with(&[]);
    let told = || customer.call_as(&token, Method::GET, "/job-drafts/capabilities");
    assert_eq!(told().expect(200).json(), json!({"capabilities": {"webhooks": true}}));
    let path = format!("/v1/workspaces/{}", customer.workspace);
    customer.app.operator(Method::PATCH, &path).json(&json!({"features": []})).send().expect(200);
    assert_eq!(told().expect(200).json(), json!({"capabilities": {"webhooks": false}}));
}

#[test]
fn what_is_published_has_the_documented_keys() {
    let customer = Customer::new();
    let path = format!("/v1/workspaces/{}/events", customer.workspace);
    let publish = |event: Value| customer.app.operator(Method::POST, &path).json(&event).send();
    let data = json!({"contractId": "c", "jobId": "j", "proposalId": "p", "more": [1]});
    publish(json!({"type": "contract.created", "resourceId": "c", "jobId": "j", "data": data})).expect(202);
    for (event, pointers) in [
        (json!({"type": "contract.created", "data": data}), vec!["/resourceId"]),
        (
            json!({"type": "contract.created", "resourceId": "c", "data": {}}),
            vec!["/data/contractId", "/data/jobId", "/data/proposalId"],
        ),
        (json!({"type": "contract.started", "resourceId": "c", "data": {}}), vec!["/type"]),
        (json!({"type": "contract.created", "resourceId": "c", "jobId": 1, "data": data}), vec!["/jobId"]),
    ] {
        assert_eq!(publish(event.clone()).expect(422).pointers(), pointers, "{event}");
    }
}
