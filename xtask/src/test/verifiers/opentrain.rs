//! Deliveries of both of a vendor's APIs, first attempts and retries, for receivers who follow its documented recipe in
//! Node.js and in Python, written afresh from those documents.

use serde_json::{Value, json};
use signalpost_testkit::{Answer, HttpClient, Operator, Request, ScriptedReceiver, Server};

use super::{ARRIVE_WITHIN, describe, payloads};

pub(super) const PYTHON_PROGRAM: &str = include_str!("opentrain.py");
pub(super) const NODE_PROGRAM: &str = include_str!("opentrain.js");

/// One of the two APIs, as its customer and its producer use it.
struct Side {
    dialect: &'static str,
    collection: &'static str,
    receiver_path: &'static str,
    event_type: &'static str,
    /// What the documented recipe for this type says that `data` holds.
    data: fn() -> Value,
}

const SIDES: [Side; 2] = [
    Side {
        dialect: "opentrain",
        collection: "/api/public/v1/webhooks",
        receiver_path: "/account",
        event_type: "proposal.received",
        data: || json!({"proposalId": "p-1", "jobId": "j-1"}),
    },
    Side {
        dialect: "opentrain-partner",
        collection: "/api/partner/v1/webhook-endpoints",
        receiver_path: "/install",
        event_type: "contract.started",
        data: || json!({}),
    },
];

/// `{secret, headers, body}` of every request that came.
pub(super) fn deliveries(server: &Server, receiver: &ScriptedReceiver) -> Result<Vec<Value>, String> {
    let sides = SIDES.iter().map(|side| side.deliveries(server, receiver));
    Ok(sides.collect::<Result<Vec<_>, _>>()?.concat())
}

impl Side {
    fn deliveries(&self, server: &Server, receiver: &ScriptedReceiver) -> Result<Vec<Value>, String> {
        let mut operator = server.operator();
        let policy = json!({"retry_schedule_s": [1, 1]});
        let body = json!({"dialect": self.dialect, "name": "verifiers", "policy": policy});
        let workspace = operator.create_workspace(&body)?;
        let token = operator.create_credential(&workspace)?;
        let secret = self.subscribe(server, &token, &receiver.url(self.receiver_path))?;
        // The first event fails once, so that a retry with a time of its own is among them.
        receiver.answer_next(self.receiver_path, [Answer::status(500)]);
        for payload in payloads() {
            self.publish(&mut operator, &workspace, payload)?;
        }
        receiver.wait_for(self.receiver_path, payloads().len(), ARRIVE_WITHIN)?;
        let requests = receiver.requests(self.receiver_path);
        Ok(requests.iter().map(|request| describe(request, json!({"secret": secret}))).collect())
    }

    fn subscribe(&self, server: &Server, token: &str, url: &str) -> Result<String, String> {
        let request =
            Request::new("POST", self.collection).header("authorization", &format!("Bearer {token}"));
        let request = request.json(&json!({"url": url, "eventTypes": [self.event_type]}));
        let answer = HttpClient::new(server.public(), ARRIVE_WITHIN).send(&request);
        let answer = answer.map_err(|error| format!("the public side does not answer: {error}"))?.json();
        let secret = answer["secret"].as_str().map(str::to_owned);
        secret.ok_or_else(|| format!("no secret in {answer}"))
    }

    fn publish(&self, operator: &mut Operator, workspace: &str, payload: Value) -> Result<(), String> {
        let mut data = (self.data)();
        data["payload"] = payload;
        let event = json!({"type": self.event_type, "resourceId": "ü/1", "data": data});
        operator.publish(workspace, &event).map(drop)
    }
}
