//! The OpenTrain dialect under callers, publishers and readers who race, with the real binary.

mod feed;
mod races;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Response, Server};

use crate::PATIENCE;

/// One of the two APIs, and the words in which they differ.
struct Side {
    dialect: &'static str,
    collection: &'static str,
    one: &'static str,
    many: &'static str,
    event_type: &'static str,
}

const PUBLIC: Side = Side {
    dialect: "opentrain",
    collection: "/api/public/v1/webhooks",
    one: "webhook",
    many: "webhooks",
    event_type: "proposal.received",
};

const PARTNER: Side = Side {
    dialect: "opentrain-partner",
    collection: "/api/partner/v1/webhook-endpoints",
    one: "webhookEndpoint",
    many: "webhookEndpoints",
    event_type: "contract.started",
};

/// A tenant of the server who calls its API.
struct Tenant<'a> {
    server: &'a Server,
    side: &'static Side,
    workspace: String,
    token: String,
}

impl<'a> Tenant<'a> {
    fn new(server: &'a Server, side: &'static Side, policy: &Value) -> Self {
        let mut operator = server.operator();
        let body = json!({"dialect": side.dialect, "name": "A", "policy": policy});
        let workspace = operator.create_workspace(&body).unwrap();
        let token = operator.create_credential(&workspace).unwrap();
        Self { server, side, workspace, token }
    }

    fn call(&self, request: Request) -> Response {
        let request = request.header("authorization", &format!("Bearer {}", self.token));
        HttpClient::new(self.server.public(), PATIENCE).send(&request).unwrap()
    }

    fn create(&self, url: &str) -> Response {
        let body = json!({"url": url, "eventTypes": [self.side.event_type]});
        self.call(Request::new("POST", self.side.collection).json(&body))
    }

    fn create_one(&self, url: &str) -> String {
        let answer = self.create(url);
        let id = answer.json()[self.side.one]["id"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| panic!("{}: {}", answer.status, answer.text()))
    }

    fn delete(&self, id: &str) -> Response {
        self.call(Request::new("DELETE", &format!("{}/{id}", self.side.collection)))
    }

    fn list(&self) -> Vec<Value> {
        let answer = self.call(Request::new("GET", self.side.collection)).json();
        answer[self.side.many].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    fn publish(&self, count: usize) {
        let data = json!({"proposalId": "p", "jobId": "j"});
        let event = json!({"type": self.side.event_type, "resourceId": "r", "data": data});
        let path = format!("/v1/workspaces/{}/events/batch", self.workspace);
        self.server.operator().post(&path, &Value::Array(vec![event; count])).unwrap();
    }
}
