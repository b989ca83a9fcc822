//! Lets other people's code judge our signatures: the reference library of Standard Webhooks for native
//! deliveries, and the language's own HMAC for a dialect's. A body or secret that was changed must be refused.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use signalpost_testkit::{HttpClient, Operator, Recorded, Request, ScriptedReceiver, Server, ServerOptions};

use super::{command, python};
use crate::{Outcome, release};

/// The verifier's program; it prints what it checked and fails at the first thing that is wrong.
const PROGRAM: &str = include_str!("verify.py");
/// Name and version of the reference library.
const LIBRARY: &str = "standardwebhooks==1.1.0";
const ARRIVE_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn run() -> Outcome {
    let python = python::with_library("standardwebhooks", LIBRARY)?;
    let server = Server::start(ServerOptions::new(release::binary()?), release::START_TIMEOUT)?;
    let receiver = ScriptedReceiver::start().map_err(|error| format!("no receiver: {error}"))?;
    let mut deliveries = native(&mut server.operator(), &receiver)?;
    deliveries.extend(dialect(&server, &receiver)?);
    let file = server.data().with_file_name("deliveries.json");
    let written = std::fs::write(&file, Value::Array(deliveries).to_string());
    written.map_err(|error| format!("the deliveries cannot be written down: {error}"))?;
    command::run(Command::new(python).args(["-c", PROGRAM]).arg(file))
}

/// Bodies on which signing schemes go wrong: empty, not ASCII, with numbers and spaces that a parser would change.
fn payloads() -> Vec<Value> {
    vec![
        json!({}),
        json!({"text": "ü € 🧀 \u{2028} \"quoted\" \\ / <b>"}),
        json!({"number": 1.0, "large": 9_007_199_254_740_993_u64, "list": [null, true, [], {}]}),
        json!({"long": "x".repeat(20_000)}),
    ]
}

fn native(operator: &mut Operator, receiver: &ScriptedReceiver) -> Result<Vec<Value>, String> {
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "verifiers"}))?;
    let (_, secret) = operator.create_webhook(&workspace, &json!({"url": receiver.url("/native")}))?;
    for data in payloads() {
        operator.publish(&workspace, &json!({"type": "verifier.asked", "data": data}))?;
    }
    collect(receiver, "/native", "standardwebhooks", &secret)
}

fn dialect(server: &Server, receiver: &ScriptedReceiver) -> Result<Vec<Value>, String> {
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "sigmamind", "name": "verifiers"}))?;
    let key = operator.create_credential(&workspace)?;
    let url = receiver.url("/dialect");
    let webhook = json!({"name": "n", "agentId": "a", "url": url, "events": ["conversation_ended"]});
    let request = Request::new("POST", "/v1/webhooks").header("x-api-key", &key).json(&webhook);
    let answer = HttpClient::new(server.public(), ARRIVE_WITHIN).send(&request);
    let answer = answer.map_err(|error| format!("the public side does not answer: {error}"))?.json();
    let secret = answer["secret"].as_str().ok_or_else(|| format!("no secret in {answer}"))?;
    for data in payloads() {
        operator.publish(&workspace, &json!({"type": "conversation_ended", "subject": "a", "data": data}))?;
    }
    collect(receiver, "/dialect", "x-sigmamind-signature", secret)
}

fn collect(
    receiver: &ScriptedReceiver,
    path: &str,
    scheme: &str,
    secret: &str,
) -> Result<Vec<Value>, String> {
    let wanted = payloads().len();
    receiver.wait_for(path, wanted - 1, ARRIVE_WITHIN)?;
    Ok(receiver.requests(path).iter().map(|delivery| describe(delivery, scheme, secret)).collect())
}

fn describe(delivery: &Recorded, scheme: &str, secret: &str) -> Value {
    let headers: Map<String, Value> =
        delivery.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"scheme": scheme, "secret": secret, "headers": headers, "body": BASE64.encode(&delivery.body)})
}
