//! `signalpost demo`: the whole way of an event, shown with real parts and nothing to set up.

pub(super) mod receiver;
mod receiver_process;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use self::receiver_process::{Received, ReceiverProcess};
use crate::cli::DemoArgs;
use crate::cmd::Failure;
use crate::cmd::http::Api;
use crate::cmd::stop::stop_signal;
use crate::key_files::{self, Keys};
use crate::server::Server;
use crate::settings::environment::Environment;
use crate::settings::layers::Flags;
use crate::settings::{Settings, keys};
use crate::telemetry::say;

/// Addresses that the README names; taken when they are free.
const USUAL_ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8081"];
const AGENT: &str = "D5D0p7TUs66TTAEAx";
const EVENTS: [&str; 3] = ["conversation_started", "conversation_ended", "conversation_analysed"];
/// A delivery on this machine takes milliseconds; this long means that something is wrong.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) fn run(args: DemoArgs) -> Result<(), Failure> {
    let data = DemoData::make()?;
    let environment = Environment::default();
    let operator_key = key_files::operator_key(&data.0, &environment)?.key;
    let keys = Keys::read_or_make(&data.0, &environment)?;
    let server = Server::start(settings(&data)?, keys)?;
    let (public, operator) = (server.public.expect("it serves, as it was set up"), server.operator);
    let operator_key = operator_key.expose_text().to_owned();
    let tour = async move {
        let mut tour = Tour::begin(public, operator, &operator_key).await?;
        tour.deliver_events().await?;
        if args.once {
            say("\nAll three events were delivered and verified.\n");
            return tour.receiver.stop().await;
        }
        tour.print_what_to_try();
        tokio::select! {
            stopped = stop_signal() => stopped,
            ended = tour.watch() => ended,
        }?;
        tour.receiver.stop().await
    };
    server.run_until(tour)
}

/// As if these flags were given, and nothing in the environment.
fn settings(data: &DemoData) -> Result<Settings, Failure> {
    let [public, operator] = USUAL_ADDRESSES.map(|usual| free_or_any(usual).to_string());
    let values = [
        (keys::DATA.flag, data.0.display().to_string()),
        (keys::PUBLIC.flag, public),
        (keys::OPERATOR.flag, operator),
        (keys::EGRESS_ALLOW.flag, "127.0.0.0/8".to_owned()),
    ];
    Settings::read(&Flags { values: values.into(), ..Flags::default() }, &Environment::default())
}

/// The usual address if nobody uses it, else any free one.
fn free_or_any(usual: &str) -> SocketAddr {
    let usual: SocketAddr = usual.parse().expect("a constant address");
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::new(usual.ip(), 0),
    }
}

/// A data directory that is removed when the demo ends.
struct DemoData(PathBuf);

impl DemoData {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("signalpost-demo-{}", std::process::id()));
        key_files::make_directory(&path)?;
        Ok(Self(path))
    }
}

impl Drop for DemoData {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            say(&format!("The demo's data in {} could not be removed: {error}\n", self.0.display()));
        }
    }
}

struct Tour {
    operator: Api,
    public: Api,
    receiver: ReceiverProcess,
    operator_key: String,
    api_key: String,
    workspace: String,
    webhook: String,
}

impl Tour {
    /// Starts the receiver, makes a workspace, an API key and a webhook, and tells of each.
    async fn begin(public: SocketAddr, operator: SocketAddr, operator_key: &str) -> Result<Self, Failure> {
        let mut receiver = ReceiverProcess::start().await?;
        let operator_api = Api::new(operator, "authorization", format!("Bearer {operator_key}"));
        let new = json!({"dialect": "sigmamind", "name": "Demo"});
        let workspace = text_at(&operator_api.post("/v1/workspaces", &new).await?, "id")?;
        let path = format!("/v1/workspaces/{workspace}/credentials");
        let api_key = text_at(&operator_api.post(&path, &json!({"name": "demo"})).await?, "secret")?;
        say(&format!(
            "Signalpost demo\n\n\
             public    http://{public}    what your customers call: here the SigmaMind dialect\n\
             operator  http://{operator}    what you call: publishing, lookups, health, metrics\n\
             receiver  {}    a process of its own that verifies each signature by itself\n\n\
             operator key  {operator_key}\n\
             API key       {api_key}    (of workspace {workspace})\n\n",
            receiver.url()
        ));
        let public_api = Api::new(public, "x-api-key", api_key.clone());
        let url = format!("{}/webhooks/sigmamind", receiver.url());
        let new = json!({"name": "Call Events - Production", "agentId": AGENT, "url": url, "events": EVENTS});
        let created = public_api.post("/v1/webhooks", &new).await?;
        let (webhook, secret) = (text_at(&created, "webhookId")?, text_at(&created, "secret")?);
        receiver.trust(&secret).await?;
        say(&format!(
            "1. A customer makes a webhook through the public address: {webhook}\n   for agent {AGENT}, signed with \
             the secret {secret}\n\n2. Your product publishes; the receiver verifies\n"
        ));
        let (operator, public, operator_key) = (operator_api, public_api, operator_key.to_owned());
        Ok(Self { operator, public, receiver, operator_key, api_key, workspace, webhook })
    }

    async fn deliver_events(&mut self) -> Result<(), Failure> {
        for (number, event_type) in EVENTS.into_iter().enumerate() {
            let data = json!({"conversationId": format!("conv_{}", number + 1), "channel": "call"});
            let event = json!({"type": event_type, "subject": AGENT, "data": data});
            let path = format!("/v1/workspaces/{}/events", self.workspace);
            let id = text_at(&self.operator.post(&path, &event).await?, "id")?;
            let waiting = tokio::time::timeout(PATIENCE, self.receiver.next());
            let received =
                waiting.await.map_err(|_| Failure::new(format!("the event {id} did not arrive")))??;
            self.show(&received)?;
            if received.event_id != id {
                return Err(Failure::new(format!("{id} was published and {} arrived", received.event_id)));
            }
        }
        Ok(())
    }

    fn show(&self, received: &Received) -> Result<(), Failure> {
        say(&format!(
            "   {}  {}  {}\n      {}\n",
            if received.verified { "verified" } else { "REFUSED " },
            received.event_type,
            received.event_id,
            received.signature
        ));
        if received.verified {
            Ok(())
        } else {
            Err(Failure::new("a signature did not verify at the receiver"))
        }
    }

    /// Tells of whatever else arrives, until the receiver ends.
    async fn watch(&mut self) -> Result<(), Failure> {
        loop {
            let received = self.receiver.next().await?;
            self.show(&received)?;
        }
    }

    fn print_what_to_try(&self) {
        let Self { operator_key, api_key, workspace, webhook, .. } = self;
        let (public, operator) = (self.public.address(), self.operator.address());
        say(&format!(
            "\n3. Try it (Ctrl-C ends the demo and removes its data)\n\n\
             # the customer's view\n\
             curl -s --url http://{public}/v1/webhooks --header 'X-API-Key: {api_key}'\n\
             curl -s --url http://{public}/v1/webhooks/{webhook} --header 'X-API-Key: {api_key}'\n\n\
             # publish another event; it shows up here\n\
             curl -s http://{operator}/v1/workspaces/{workspace}/events -H 'Authorization: Bearer {operator_key}' \
             -H 'Content-Type: application/json' \
             -d '{{\"type\":\"conversation_ended\",\"subject\":\"{AGENT}\",\"data\":{{\"hello\":\"world\"}}}}'\n\n\
             # what became of it\n\
             curl -s http://{operator}/v1/workspaces/{workspace}/deliveries -H 'Authorization: Bearer {operator_key}'\n\
             curl -s http://{operator}/metrics\n\n\
             # the same as pages: sign in with {operator_key}\n\
             http://{operator}/dash\n\n"
        ));
    }
}

fn text_at(value: &Value, field: &str) -> Result<String, Failure> {
    let text = value.get(field).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| Failure::new(format!("an answer of the server has no `{field}`: {value}")))
}
