//! Deliveries of a vendor whose signing secrets are objects of their own, for receivers who follow its recipe in PHP and
//! in Python, written afresh from its documents: signed ones, retries and a change of the secret among them, and such as
//! nobody signs, because nothing was linked or what was linked has been deleted.

use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{Answer, HttpClient, Operator, Request, ScriptedReceiver, Server};

use super::{ARRIVE_WITHIN, describe, payloads};

pub(super) const PYTHON_PROGRAM: &str = include_str!("spaaza.py");
pub(super) const PHP_PROGRAM: &str = include_str!("spaaza.php");

const EVENT_TYPE: &str = "shopper.voucher-issued";
/// A type whose deliveries have no envelope.
const BARE_TYPE: &str = "shopper.receipt-created";
const PATHS: [&str; 3] = ["/signed", "/receipts", "/plain"];
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A chain and its user.
struct Chain {
    operator: Operator,
    client: HttpClient,
    id: String,
    user_id: String,
    session_key: String,
}

/// A shared secret as the API shows it.
struct Signature {
    id: Value,
    value: String,
}

/// `{secret, refuses, headers, body}` of every request that came; without a secret it must not be signed.
pub(super) fn deliveries(server: &Server, receiver: &ScriptedReceiver) -> Result<Vec<Value>, String> {
    let mut chain = Chain::new(server)?;
    let (first, second) = (chain.new_signature()?, chain.new_signature()?);
    let webhooks = [
        chain.new_webhook(EVENT_TYPE, &receiver.url(PATHS[0]), Some(&first))?,
        chain.new_webhook(BARE_TYPE, &receiver.url(PATHS[1]), Some(&first))?,
        chain.new_webhook(EVENT_TYPE, &receiver.url(PATHS[2]), None)?,
    ];
    let mut all = Vec::new();
    let mut seen = [0; PATHS.len()];
    // The first event fails once, so that a retry is among them.
    receiver.answer_next(PATHS[0], [Answer::status(500)]);
    all.extend(chain.round(receiver, &mut seen, 1, (Some(&first), &[&second]))?);
    for webhook in &webhooks[..2] {
        chain.call("PUT", "alter-webhook", &json!({"id": webhook, "webhook_signature_id": second.id}))?;
    }
    chain.call("DELETE", "delete-webhook-signature", &json!({"id": first.id}))?;
    all.extend(chain.round(receiver, &mut seen, 0, (Some(&second), &[&first]))?);
    chain.call("DELETE", "delete-webhook-signature", &json!({"id": second.id}))?;
    all.extend(chain.round(receiver, &mut seen, 0, (None, &[&first, &second]))?);
    Ok(all)
}

impl Chain {
    fn new(server: &Server) -> Result<Self, String> {
        let mut operator = server.operator();
        let policy = json!({"retry_schedule_s": [1, 1]});
        let id = operator
            .create_workspace(&json!({"dialect": "spaaza", "name": "verifiers", "policy": policy}))?;
        let user =
            operator.post(&format!("/v1/workspaces/{id}/credentials"), &json!({"name": "verifiers"}))?;
        let session_key = user["session_key"].as_str().map(str::to_owned);
        let session_key = session_key.ok_or_else(|| format!("no session in {user}"))?;
        let client = HttpClient::new(server.public(), CALL_TIMEOUT);
        Ok(Self { operator, client, id, user_id: user["user_id"].to_string(), session_key })
    }

    /// A call with these parameters and the chain's id, which must succeed; returns its results.
    fn call(&mut self, method: &str, name: &str, parameters: &Value) -> Result<Value, String> {
        let mut parameters = parameters.clone();
        parameters["chain_id"] = json!(self.id);
        let request = Request::new(method, &format!("/internal/{name}"))
            .header("x-spaaza-session-user-id", &self.user_id)
            .header("x-spaaza-session-key", &self.session_key)
            .json(&parameters);
        let answer =
            self.client.send(&request).map_err(|error| format!("{name} was not answered: {error}"))?;
        let json = answer.json();
        if answer.status != 200 || json["result"]["code"] != 1 {
            return Err(format!("{name} was answered with {}: {}", answer.status, answer.text()));
        }
        Ok(json["results"].clone())
    }

    fn new_signature(&mut self) -> Result<Signature, String> {
        let made = self.call("POST", "add-webhook-signature", &json!({}))?["webhook_signature"].clone();
        let value = made["value"].as_str().map(str::to_owned);
        Ok(Signature { value: value.ok_or_else(|| format!("no value in {made}"))?, id: made["id"].clone() })
    }

    /// Returns the webhook's id.
    fn new_webhook(
        &mut self,
        event: &str,
        url: &str,
        signature: Option<&Signature>,
    ) -> Result<Value, String> {
        let mut parameters = json!({"event_name": event, "type": "https", "url": url});
        if let Some(signature) = signature {
            parameters["webhook_signature_id"] = signature.id.clone();
        }
        Ok(self.call("POST", "add-webhook", &parameters)?["webhook"]["id"].clone())
    }

    /// Publishes all payloads as events of both types. What comes at the first two paths must be signed as told, at
    /// the third by nobody; at the first there are so many retries.
    fn round(
        &mut self,
        receiver: &ScriptedReceiver,
        seen: &mut [usize; PATHS.len()],
        retries: usize,
        (signed, others): (Option<&Signature>, &[&Signature]),
    ) -> Result<Vec<Value>, String> {
        for payload in payloads() {
            for event_type in [EVENT_TYPE, BARE_TYPE] {
                let event = json!({"type": event_type, "id": "voucher678599", "data": payload});
                self.operator.publish(&self.id, &event)?;
            }
        }
        let refuses: Vec<&str> = others.iter().map(|other| other.value.as_str()).collect();
        let mut all = Vec::new();
        for (index, path) in PATHS.into_iter().enumerate() {
            let count = payloads().len() + if index == 0 { retries } else { 0 };
            receiver.wait_for(path, seen[index] + count - 1, ARRIVE_WITHIN)?;
            let secret = signed.filter(|_| index < 2).map(|signature| &signature.value);
            let judged = json!({"secret": secret, "refuses": refuses});
            let requests = receiver.requests(path);
            all.extend(requests[seen[index]..].iter().map(|request| describe(request, judged.clone())));
            seen[index] = requests.len();
        }
        Ok(all)
    }
}
