//! Lets a stranger's program read our documents and call everything in them, with good requests and with bad ones:
//! schemathesis. No answer may be a 5xx, and none may be other than the document says.
//!
//! All of its checks are on. Where one cannot hold by design, the configuration beside this file says why.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Operator, Request, Server, ServerOptions, TempDir};

use super::{command, python};
use crate::{Outcome, release, workspace};

/// Name and version of the program.
const PROGRAM: &str = "schemathesis==4.32.5";
const NATIVE: &str = include_str!("schemathesis/native.toml");
const DIALECT: &str = include_str!("schemathesis/dialect.toml");
/// Beside [`DIALECT`], for the partners' API.
const PARTNER: &str = include_str!("schemathesis/partner.toml");
const HOOKS: &str = include_str!("schemathesis/hooks.py");
/// Requests of each call and phase; so many keep the step well below three minutes.
const EXAMPLES: &str = "40";
/// The same requests in every run, so that a failure can be repeated.
const SEED: &str = "1";
/// Beside [`DIALECT`], for the calls of chains.
const CHAINS_TOML: &str = include_str!("schemathesis/chains.toml");
/// Dialects with public calls, and the header in which each is shown its credential, where that is one.
const DIALECTS: [(&str, &str); 4] = [
    ("sigmamind", "X-API-Key: "),
    ("opentrain", BEARER),
    (PARTNERS, BEARER),
    (CHAINS, "X-Spaaza-Session-Key: "),
];
const BEARER: &str = "Authorization: Bearer ";
const PARTNERS: &str = "opentrain-partner";
/// Where an endpoint of an install is made.
const ENDPOINTS: &str = "/api/partner/v1/webhook-endpoints";
const CHAINS: &str = "spaaza";
/// Objects of a chain that may be deleted in a run.
const SPARE: usize = 24;
/// Calls on workspaces as such. They run apart and last: they shorten the retention of whatever workspace they have
/// heard of, and erase it.
const WORKSPACES: &str = r"^/v1/workspaces(/\{workspace\})?$";

pub(super) fn run() -> Outcome {
    let python = python::with_library("schemathesis", PROGRAM)?;
    let server = Server::start(ServerOptions::new(release::binary()?), release::START_TIMEOUT)?;
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let prepared = prepare(&mut server.operator())?;
    let hooks = write(folder.path(), "hooks.py", HOOKS)?;
    let configuration = prepared.fill(NATIVE).replace("HOOKS", &hooks.to_string_lossy());
    let run = |api: &Api, name: &str, choice: &[&str]| {
        let configuration = write(folder.path(), name, &api.configuration)?;
        println!("\n--- {} {}", api.document, choice.join(" "));
        command::run(api.call(&python, &configuration).args(choice))
    };
    for (dialect, header) in DIALECTS {
        let customer = customer(&mut server.operator(), dialect)?;
        let mut credentials = vec![format!("{header}{}", customer.secret)];
        let configuration = match dialect {
            PARTNERS => {
                format!("{DIALECT}{}", PARTNER.replace("ENDPOINT", &endpoint(&server, &customer.secret)?))
            }
            CHAINS => {
                credentials.push(format!("X-Spaaza-Session-User-Id: {}", customer.made["user_id"]));
                format!("{DIALECT}{}", chain(&server, &customer, &credentials)?)
            }
            _ => DIALECT.to_owned(),
        };
        let api = Api {
            document: format!("{dialect}.json"),
            configuration,
            url: format!("http://{}", server.public()),
            credentials,
        };
        run(&api, "dialect.toml", &[])?;
    }
    let native = Api {
        document: "native.json".to_owned(),
        configuration,
        url: format!("http://{}", server.operator_address()),
        credentials: vec![format!("Authorization: Bearer {}", server.operator_key())],
    };
    run(&native, "native.toml", &["--exclude-path-regex", WORKSPACES])?;
    run(&native, "native.toml", &["--include-path-regex", WORKSPACES])
}

/// A document, and where and how its API is called.
struct Api {
    document: String,
    configuration: String,
    url: String,
    /// Headers.
    credentials: Vec<String>,
}

impl Api {
    fn call(&self, python: &Path, configuration: &Path) -> Command {
        let mut command = Command::new(python);
        command.args(["-m", "schemathesis.cli", "--config-file"]).arg(configuration).arg("run");
        command.arg(workspace::root().join("docs/openapi").join(&self.document));
        command.args(["--url", &self.url]);
        for header in &self.credentials {
            command.args(["--header", header]);
        }
        command.args(["--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES]);
        command.args(["--continue-on-failure", "--no-color", "--output-sanitize", "true"]);
        // What it remembers of earlier runs would make this one another.
        command.current_dir(configuration.parent().unwrap_or(configuration));
        command
    }
}

/// What the native calls are asked of.
struct Prepared {
    workspace: String,
    event: String,
    webhook: String,
    delivery: String,
    replay: String,
    dialect_workspace: String,
    /// Of that one; to revoke.
    credential: String,
    /// Ids of operator keys: one to look at, one to rotate, one to revoke.
    operator_keys: [String; 3],
}

impl Prepared {
    fn fill(&self, configuration: &str) -> String {
        let [shown, rotated, revoked] = &self.operator_keys;
        let ids = [
            ("SHOWN_KEY", shown),
            ("ROTATED_KEY", rotated),
            ("REVOKED_KEY", revoked),
            ("STORED_EVENT", &self.event),
            ("STORED_WEBHOOK", &self.webhook),
            ("STORED_REPLAY", &self.replay),
            ("REVOKED_CREDENTIAL", &self.credential),
            ("DIALECT_WORKSPACE", &self.dialect_workspace),
            ("WORKSPACE", &self.workspace),
            ("DELIVERY", &self.delivery),
        ];
        ids.into_iter().fold(configuration.to_owned(), |text, (word, id)| text.replace(word, id))
    }
}

/// Workspaces, a webhook that nobody answers, a delivery that waits for its next attempt, a replay, and operator keys.
fn prepare(operator: &mut Operator) -> Result<Prepared, String> {
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "schemathesis"}))?;
    let (webhook, _) = operator.create_webhook(&workspace, &json!({"url": "https://receiver.invalid/"}))?;
    let event = operator.publish(&workspace, &json!({"type": "order.paid", "data": {}}))?;
    let event = event["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no event in {event}"))?;
    let deliveries = operator.get(&format!("/v1/workspaces/{workspace}/deliveries"))?;
    let delivery = deliveries["data"][0]["id"].as_str().map(str::to_owned);
    let delivery = delivery.ok_or_else(|| format!("no delivery in {deliveries}"))?;
    let replays = format!("/v1/workspaces/{workspace}/webhooks/{webhook}/replays");
    let replay = operator.post(&replays, &json!({"which": "all", "since": "2026-01-01T00:00:00Z"}))?;
    let replay = replay["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no replay in {replay}"))?;
    let dialect_workspace =
        operator.create_workspace(&json!({"dialect": "sigmamind", "name": "schemathesis"}))?;
    let credentials = format!("/v1/workspaces/{dialect_workspace}/credentials");
    let made = operator.post(&credentials, &json!({}))?;
    let credential =
        made["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no credential in {made}"))?;
    let mut operator_keys = [const { String::new() }; 3];
    for id in &mut operator_keys {
        let made = operator.post("/v1/keys", &json!({"scopes": ["read"]}))?;
        *id = made["id"].as_str().map(str::to_owned).ok_or_else(|| format!("no key in {made}"))?;
    }
    Ok(Prepared { workspace, event, webhook, delivery, replay, dialect_workspace, credential, operator_keys })
}

/// Somebody with a credential of a new workspace.
struct Customer {
    workspace: String,
    secret: String,
    /// The credential as it was answered.
    made: Value,
}

fn customer(operator: &mut Operator, dialect: &str) -> Result<Customer, String> {
    let workspace = operator.create_workspace(&json!({"dialect": dialect, "name": "schemathesis"}))?;
    let made = operator.post(&format!("/v1/workspaces/{workspace}/credentials"), &json!({}))?;
    let secret = made["secret"].as_str().map(str::to_owned).ok_or_else(|| format!("no secret in {made}"))?;
    Ok(Customer { workspace, secret, made })
}

/// The configuration for a chain with objects to look at and to delete, and somebody who may log in.
fn chain(server: &Server, customer: &Customer, credentials: &[String]) -> Result<String, String> {
    let chain = &customer.workspace;
    // A user apart: a login ends the session with which all other calls are made.
    let right = json!({"username": "schemathesis", "password": "correct horse"});
    server.operator().post(&format!("/v1/workspaces/{chain}/credentials"), &right)?;
    let mut client = HttpClient::new(server.public(), release::START_TIMEOUT);
    let mut add = |call: &str, object: &str| {
        let mut request = Request::new("POST", &format!("/internal/{call}"));
        for (name, value) in credentials.iter().filter_map(|header| header.split_once(": ")) {
            request = request.header(name, value);
        }
        let new = json!({
            "chain_id": chain, "event_name": "shopper.created", "type": "https", "url": "https://receiver.invalid/"
        });
        let made = client.send(&request.json(&new)).map_err(|error| format!("{call}: {error}"))?;
        let made: Value = serde_json::from_slice(&made.body).map_err(|error| error.to_string())?;
        let id = made["results"][object]["id"].as_u64();
        id.map(|id| id.to_string()).ok_or_else(|| format!("{call}: no id in {made}"))
    };
    let mut ids =
        |call: &str, object: &str| (0..=SPARE).map(|_| add(call, object)).collect::<Result<Vec<_>, _>>();
    let (webhooks, signatures) =
        (ids("add-webhook", "webhook")?, ids("add-webhook-signature", "webhook_signature")?);
    let listed = |ids: &[String]| ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let words = [
        // The last are kept: a made up id is a small number more often than not.
        ("SPARE_WEBHOOKS", listed(&webhooks[..SPARE])),
        ("SPARE_SIGNATURES", listed(&signatures[..SPARE])),
        ("WEBHOOK", listed(&webhooks[SPARE..])),
        ("SIGNATURE", listed(&signatures[SPARE..])),
        ("CHAIN", format!("\"{chain}\"")),
    ];
    Ok(words.into_iter().fold(CHAINS_TOML.to_owned(), |text, (word, ids)| text.replace(word, &ids)))
}

/// An endpoint of the install whose credential this is.
fn endpoint(server: &Server, credential: &str) -> Result<String, String> {
    let new = json!({"url": "https://receiver.invalid/", "eventTypes": ["contract.started"]});
    let request =
        Request::new("POST", ENDPOINTS).header("authorization", &format!("Bearer {credential}")).json(&new);
    let made = HttpClient::new(server.public(), release::START_TIMEOUT).send(&request);
    let made = made.map_err(|error| format!("an endpoint cannot be made: {error}"))?;
    let made: Value = serde_json::from_slice(&made.body).map_err(|error| error.to_string())?;
    let id = made["webhookEndpoint"]["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| format!("no endpoint in {made}"))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{name} cannot be written: {error}"))?;
    Ok(path)
}
