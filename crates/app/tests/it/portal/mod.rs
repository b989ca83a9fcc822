//! The customers' portal, as a browser without a script has it.

mod bounds;
mod code;
mod dialects;
mod looks;
mod opening;
mod rights;
mod strangers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use signalpost_testkit::{Answer, Operator, Receiver, Request, Response, Server, wait_for};

use crate::dash::browser::Browser;
use crate::{PATIENCE, options};

/// A server with two workspaces of which one has a webhook, and a delivery to it.
struct Stage {
    server: Server,
    operator: Operator,
    workspace: String,
    webhook: String,
    event: String,
    delivery: String,
    other: String,
    _receiver: Receiver,
    /// Requests that it got.
    requests: Arc<AtomicUsize>,
}

impl Stage {
    fn set() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let server = Server::start(options(arguments), PATIENCE).unwrap();
        let mut operator = server.operator();
        let [workspace, other] = ["Acme", "Other"].map(|name| {
            let policy = json!({"retry_schedule_s": [3_600]});
            let new = json!({"dialect": "native", "name": name, "policy": policy});
            operator.create_workspace(&new).unwrap()
        });
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let answer = move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Answer::status(200)
        };
        let receiver = Receiver::start(Arc::new(answer)).unwrap();
        let new = json!({"url": receiver.url("/hook"), "events": ["*"]});
        let webhook = operator.create_webhook(&workspace, &new).unwrap().0;
        let event = json!({"type": "order.paid", "data": {"amount": 7}});
        let event = operator.publish(&workspace, &event).unwrap()["id"].as_str().unwrap().to_owned();
        let list = format!("/v1/workspaces/{workspace}/deliveries");
        let mut delivery = String::new();
        let delivered = || {
            let row = operator.get(&list).unwrap()["data"][0].clone();
            delivery = row["id"].as_str().unwrap_or_default().to_owned();
            row["status"] == "delivered"
        };
        wait_for("the delivery", PATIENCE, delivered).unwrap();
        Self { server, operator, workspace, webhook, event, delivery, other, _receiver: receiver, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn public(&self) -> SocketAddr {
        self.server.public()
    }

    /// What the API says of a new link.
    fn link(&mut self, workspace: &str, body: &Value) -> Value {
        self.operator.post(&format!("/v1/workspaces/{workspace}/portal-links"), body).unwrap()
    }

    /// The path of a link on the public address.
    fn way(&mut self, workspace: &str, body: &Value) -> String {
        format!("/portal/open?link={}", self.link(workspace, body)["token"].as_str().unwrap())
    }

    fn browser(&self) -> Browser {
        Browser::new(self.public())
    }

    /// A browser that has followed a link of the first workspace.
    fn customer(&mut self, body: &Value) -> Browser {
        let (workspace, mut browser) = (self.workspace.clone(), self.browser());
        let way = self.way(&workspace, body);
        let answered = browser.get(&way);
        assert_eq!(
            (answered.status, answered.header("location")),
            (303, Some("/portal")),
            "{}",
            answered.text()
        );
        browser
    }

    /// The workspace's own page, or one below it.
    fn path(&self, below: &str) -> String {
        format!("/portal/workspaces/{}{below}", self.workspace)
    }

    fn end_all(&mut self) {
        let path = format!("/v1/workspaces/{}/portal-sessions", self.workspace);
        assert_eq!(self.operator.send(Request::new("DELETE", &path)).unwrap().status, 204);
    }

    /// Who did what at the portal, newest first, with what came of it.
    fn record(&mut self) -> Vec<[String; 3]> {
        let found = self.operator.get("/v1/audit?limit=200").unwrap();
        let text = |row: &Value, at: &str| row.pointer(at).and_then(Value::as_str).unwrap_or("-").to_owned();
        let rows = found["data"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["surface"] == "portal");
        rows.map(|row| [text(row, "/by/name"), text(row, "/action"), text(row, "/result")]).collect()
    }
}

/// Whether it leads nowhere but asks for a link.
fn asks_for_a_link(answered: &Response) -> bool {
    answered.status == 401 && answered.text().contains("Come back by a link")
}
