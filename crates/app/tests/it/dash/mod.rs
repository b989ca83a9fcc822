//! The pages for those who operate, as a browser without a script has them.

mod attempts;
mod audit;
pub(crate) mod browser;
mod dialects;
mod features;
mod forms_and_apis;
mod keys;
mod operators;
mod overview;
mod reading;
mod replays;
mod signing_in;
mod webhooks;

use std::sync::Arc;

use serde_json::json;
use signalpost_testkit::{Answer, Operator, Receiver, Server, wait_for};

use self::browser::Browser;
use crate::{PATIENCE, options};

/// A server with a workspace, and a receiver that answers with the status that stands in the path.
struct Stage {
    server: Server,
    operator: Operator,
    workspace: String,
    receiver: Receiver,
}

/// What a receiver says of what it does not like.
const ANSWER: &[u8] = b"<script>alert('answer')</script>";

impl Stage {
    fn set() -> Self {
        let server = Server::start(options(&[]), PATIENCE).unwrap();
        let mut operator = server.operator();
        let policy = json!({"retry_schedule_s": [3_600]});
        let workspace = json!({"dialect": "native", "name": "Acme <b>", "policy": policy});
        let workspace = operator.create_workspace(&workspace).unwrap();
        let status = |path: &str| path.trim_start_matches('/').parse().unwrap_or(200);
        let answer =
            move |request: signalpost_testkit::Recorded| Answer::status(status(&request.path)).body(ANSWER);
        let receiver = Receiver::start(Arc::new(answer)).unwrap();
        Self { server, operator, workspace, receiver }
    }

    /// A browser in which somebody has signed in with this key.
    fn signed_in(&self, key: &str) -> Browser {
        let mut browser = Browser::new(self.server.operator_address());
        browser.sign_in(key);
        browser
    }

    fn root(&self) -> Browser {
        self.signed_in(self.server.operator_key())
    }

    /// Makes a key and gives its id and secret.
    fn key(&mut self, body: &serde_json::Value) -> (String, String) {
        let made = self.operator.post("/v1/keys", body).unwrap();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }

    fn webhook(&mut self, path: &str, more: &serde_json::Value) -> String {
        let mut body = json!({"url": self.receiver.url(path), "events": ["*"]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.operator.create_webhook(&self.workspace, &body).unwrap().0
    }

    fn publish(&mut self, data: &serde_json::Value) -> String {
        let event = json!({"type": "order.paid", "data": data});
        self.operator.publish(&self.workspace, &event).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The delivery of an event to a webhook, once it has had so many attempts.
    fn delivery(&mut self, event: &str, webhook: &str, attempts: u64) -> String {
        let list = format!("/v1/workspaces/{}/deliveries?event={event}&webhook={webhook}", self.workspace);
        let mut found = String::new();
        let attempted = || {
            let rows = self.operator.get(&list).unwrap();
            let row = &rows["data"][0];
            found = row["id"].as_str().unwrap_or_default().to_owned();
            row["attempt_count"].as_u64() >= Some(attempts)
        };
        wait_for("the attempt to be recorded", PATIENCE, attempted).unwrap();
        found
    }
}
