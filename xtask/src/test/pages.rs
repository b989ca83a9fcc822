//! The pages for those who operate, in a real browser: Debian's Chromium, driven by Playwright. Every page is looked at on a phone, a
//! tablet and a desk, light and dark, with and without a script, and judged by axe; every action is done once.
//!
//! Pictures of all of it lie in `target/pages` afterwards, for people to look at.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{Answer, Operator, ScriptedReceiver, Server, ServerOptions, wait_for};

use super::node::Library;
use super::{command, node};
use crate::{Outcome, release, workspace};

const LIBRARIES: [Library; 2] = [("playwright-core", "1.65.1"), ("axe-core", "4.14.1")];
const PROGRAM: &str = include_str!("pages/browser.js");
/// Events of a workspace with much to show.
const EVENTS: usize = 120;
const LARGE_BYTES: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run() -> Outcome {
    let folder = node::with_libraries(&LIBRARIES)?;
    let pictures = workspace::target_directory()?.join("pages");
    std::fs::create_dir_all(&pictures)
        .map_err(|error| format!("{} cannot be made: {error}", pictures.display()))?;
    let server = Server::start(ServerOptions::new(release::binary()?), release::START_TIMEOUT)?;
    let receiver = ScriptedReceiver::start().map_err(|error| format!("no receiver: {error}"))?;
    let mut scene = prepare(&mut server.operator(), &receiver)?;
    let publish = format!(
        "http://{}/v1/workspaces/{}/events",
        server.operator_address(),
        scene["full"].as_str().unwrap_or("")
    );
    scene["publish"] = json!(publish);
    browse(&folder, &server, &scene, &pictures)
}

fn browse(folder: &Path, server: &Server, scene: &Value, pictures: &Path) -> Outcome {
    let program = folder.join("browser.js");
    let written = std::fs::write(&program, PROGRAM);
    written.map_err(|error| format!("{} cannot be written: {error}", program.display()))?;
    let mut node = Command::new("node");
    node.arg(&program);
    node.env("BASE", format!("http://{}/dash", server.operator_address()));
    node.env("KEY", server.operator_key()).env("SCENE", scene.to_string()).env("PICTURES", pictures);
    command::run(&mut node)
}

/// A workspace with nothing in it, and one with webhooks of every kind and much sent to them.
fn prepare(operator: &mut Operator, receiver: &ScriptedReceiver) -> Result<Value, String> {
    for status in [500, 401] {
        let answer = Answer::status(status).body(br#"{"error": "<b>no</b>", "code": 7}"#);
        receiver.answer_always(&format!("/{status}"), answer);
    }
    let empty = operator.create_workspace(&json!({"dialect": "native", "name": "Nothing yet"}))?;
    let policy = json!({"retry_schedule_s": [3_600]});
    let full = json!({"dialect": "native", "name": "Acme GmbH", "policy": policy});
    let full = operator.create_workspace(&full)?;
    let long = receiver.url(&format!("/{}", "long/".repeat(60)));
    let webhooks = [
        json!({"url": receiver.url("/500"), "events": ["order.*"], "name": "billing"}),
        json!({"url": receiver.url("/401"), "events": ["*"], "name": "wrong secret"}),
        json!({"url": "http://10.0.0.1/", "events": ["order.paid"]}),
        json!({"url": long, "events": ["*"]}),
        json!({"url": receiver.url("/ok"), "events": ["*"], "filter": "data.amount > 1000000.0"}),
    ];
    let mut made = Vec::new();
    for webhook in &webhooks {
        made.push(operator.create_webhook(&full, webhook)?.0);
    }
    let mut events = Vec::new();
    for number in 0..EVENTS {
        let event_type = ["order.paid", "order.shipped", "user.created"][number % 3];
        let note = if number == 0 { "x".repeat(LARGE_BYTES) } else { "<script>alert(1)</script>".to_owned() };
        let data = json!({"amount": number, "note": note, "list": [1, 2.5, true, null]});
        let event = json!({"type": event_type, "id": format!("order-{number}"), "data": data});
        let published = operator.publish(&full, &event)?;
        events.push(published["id"].as_str().unwrap_or_default().to_owned());
    }
    let delivery = attempted(operator, &full, &events[0], &made[0])?;
    let link = operator
        .post(&format!("/v1/workspaces/{full}/portal-links"), &json!({"name": "ann@acme.example"}))?;
    let dialect = operator.create_workspace(&json!({"dialect": "opentrain", "name": "In a dialect"}))?;
    let replay = json!({"which": "all", "since": "2026-01-01T00:00:00Z"});
    let replay = operator.post(&format!("/v1/workspaces/{full}/webhooks/{}/replays", made[3]), &replay)?;
    Ok(json!({
        "empty": empty, "full": full, "dialect": dialect, "webhook": made[0], "event": events[0], "delivery": delivery,
        "replay": replay["id"], "portal": link["url"],
    }))
}

/// The delivery of an event to a webhook, once it was attempted.
fn attempted(operator: &mut Operator, workspace: &str, event: &str, webhook: &str) -> Result<String, String> {
    let list = format!("/v1/workspaces/{workspace}/deliveries?event={event}&webhook={webhook}");
    let mut found = String::new();
    let look = || {
        let row = operator.get(&list).map(|rows| rows["data"][0].clone()).unwrap_or_default();
        found = row["id"].as_str().unwrap_or_default().to_owned();
        row["attempt_count"].as_u64().unwrap_or(0) > 0
    };
    wait_for("a delivery to be attempted", PATIENCE, look)?;
    Ok(found)
}
