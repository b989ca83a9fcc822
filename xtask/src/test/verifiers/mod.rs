//! Lets other people's code judge our signatures: the reference libraries of Standard Webhooks for native
//! deliveries, in two languages, and for a dialect's a language's own HMAC or the recipe that its receivers are given.
//! While a secret is being replaced, who knows either must accept; once it is revoked or has expired, who knows only
//! that one must refuse.

mod opentrain;
mod spaaza;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use signalpost_testkit::{
    HttpClient, Operator, Recorded, Request, ScriptedReceiver, Server, ServerOptions, wait_for_some,
};

use super::{command, node, python};
use crate::{Outcome, release};

/// The verifiers' programs; each prints what it checked and fails at the first thing that is wrong.
const PYTHON_PROGRAM: &str = include_str!("standard.py");
const NODE_PROGRAM: &str = include_str!("standard.js");
/// Versions of the reference library on PyPI and on npm.
const PYTHON_LIBRARY: &str = "standardwebhooks==1.1.0";
const NODE_VERSION: &str = "1.1.1";
const ARRIVE_WITHIN: Duration = Duration::from_secs(10);
const STANDARD: &str = "standardwebhooks";

pub(super) fn run() -> Outcome {
    let python = python::with_library("standardwebhooks", PYTHON_LIBRARY)?;
    let node_folder = node::with_libraries(&[("standardwebhooks", NODE_VERSION)])?;
    let server = Server::start(ServerOptions::new(release::binary()?), release::START_TIMEOUT)?;
    let receiver = ScriptedReceiver::start().map_err(|error| format!("no receiver: {error}"))?;
    let mut deliveries = native(&mut server.operator(), &receiver)?;
    deliveries.extend(dialect(&server, &receiver)?);
    let folder = server.data();
    let write = |name: &str, text: String| {
        let file = folder.with_file_name(name);
        let written = std::fs::write(&file, text);
        written.map_err(|error| format!("{name} cannot be written: {error}"))?;
        Ok::<PathBuf, String>(file)
    };
    let by_python =
        |program, file: &Path| command::run(Command::new(&python).args(["-c", program]).arg(file));
    let by_node = |program, file: &Path| {
        let mut node = Command::new("node");
        command::run(node.args(["-e", program, "--"]).arg(file).current_dir(&node_folder))
    };
    let file = write("standard.json", Value::Array(deliveries).to_string())?;
    by_python(PYTHON_PROGRAM, &file)?;
    by_node(NODE_PROGRAM, &file)?;
    let deliveries = opentrain::deliveries(&server, &receiver)?;
    let file = write("opentrain.json", Value::Array(deliveries).to_string())?;
    by_python(opentrain::PYTHON_PROGRAM, &file)?;
    by_node(opentrain::NODE_PROGRAM, &file)?;
    let deliveries = spaaza::deliveries(&server, &receiver)?;
    let file = write("spaaza.json", Value::Array(deliveries).to_string())?;
    by_python(spaaza::PYTHON_PROGRAM, &file)?;
    let program = write("spaaza.php", spaaza::PHP_PROGRAM.to_owned())?;
    command::run(Command::new("php").arg(program).arg(file))
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
    let (webhook, first) = operator.create_webhook(&workspace, &json!({"url": receiver.url("/native")}))?;
    let path = format!("/v1/workspaces/{workspace}/webhooks/{webhook}");
    let mut all = Vec::new();
    let mut publish = |operator: &mut Operator, accepts: &[&str], refuses: &[&str]| {
        for data in payloads() {
            operator.publish(&workspace, &json!({"type": "verifier.asked", "data": data}))?;
        }
        let seen = all.len();
        all.extend(collect(receiver, "/native", seen, STANDARD, (accepts, refuses))?);
        Ok::<(), String>(())
    };
    let never = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    publish(operator, &[&first], &[never])?;
    let second = rotate(operator, &path, &json!({}))?;
    publish(operator, &[&first, &second], &[never])?;
    let third = rotate(operator, &path, &json!({"overlap_s": 0}))?;
    publish(operator, &[&first, &third], &[&second])?;
    let revoked = operator.send(Request::new("DELETE", &format!("{path}/previous-secrets")))?;
    if revoked.status != 204 {
        return Err(format!("a revocation was answered with {}", revoked.status));
    }
    publish(operator, &[&third], &[&first, &second])?;
    let fourth = rotate(operator, &path, &json!({"overlap_s": 1}))?;
    wait_for_some("the third secret to expire", ARRIVE_WITHIN, || {
        let shown = operator.get(&path).ok()?;
        shown["previous_secrets"].as_array().filter(|previous| previous.is_empty()).map(drop)
    })?;
    publish(operator, &[&fourth], &[&first, &second, &third])?;
    Ok(all)
}

/// Replaces the secret of a webhook; returns the new one.
fn rotate(operator: &mut Operator, path: &str, body: &Value) -> Result<String, String> {
    let rotated = operator.post(&format!("{path}/rotate-secret"), body)?;
    let secret = rotated["secret"].as_str().map(str::to_owned);
    secret.ok_or_else(|| format!("no secret in {rotated}"))
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
    collect(receiver, "/dialect", 0, "x-sigmamind-signature", (&[secret], &["another"]))
}

/// The deliveries of all payloads after those that were `seen`, with the secrets that must accept them and those
/// that must refuse.
fn collect(
    receiver: &ScriptedReceiver,
    path: &str,
    seen: usize,
    scheme: &str,
    secrets: (&[&str], &[&str]),
) -> Result<Vec<Value>, String> {
    receiver.wait_for(path, seen + payloads().len() - 1, ARRIVE_WITHIN)?;
    let requests = receiver.requests(path);
    let judged = json!({"scheme": scheme, "accepts": secrets.0, "refuses": secrets.1});
    Ok(requests[seen..].iter().map(|delivery| describe(delivery, judged.clone())).collect())
}

/// A delivery beside what its judge must know.
fn describe(delivery: &Recorded, mut described: Value) -> Value {
    let headers: Map<String, Value> =
        delivery.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    described["headers"] = Value::Object(headers);
    described["body"] = json!(BASE64.encode(&delivery.body));
    described
}
