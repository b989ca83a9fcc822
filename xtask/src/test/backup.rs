//! A backup taken while events are published, restored into an empty folder, goes on: nothing that was acknowledged
//! before it is missing, no sequence number comes twice, and without the right master key nothing starts.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{Operator, ScriptedReceiver, Server, ServerOptions, TempDir, wait_for};

use crate::release::START_TIMEOUT;
use crate::{Outcome, release};

const PATIENCE: Duration = Duration::from_secs(30);
/// Events acknowledged before the backup begins, and again after it was taken.
const EVENTS: usize = 300;
/// Of the webhook.
const PATH: &str = "/backup";
/// What marks the event that is published after the restore.
const NOTE: &str = "after the restore";
const WRONG_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// An event that the first server has acknowledged.
#[derive(Clone)]
struct Acknowledged {
    id: String,
    sequence: i64,
}

pub(super) fn run() -> Outcome {
    let binary = release::binary()?;
    let receiver = ScriptedReceiver::start().map_err(|error| format!("no receiver: {error}"))?;
    let mut first = Server::start(ServerOptions::new(&binary), START_TIMEOUT)?;
    let mut operator = first.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "backup"}))?;
    operator.create_webhook(&workspace, &json!({"url": receiver.url(PATH)}))?;
    let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let backup = folder.path().join("backup");
    let (before, all) = back_up_under_load(&binary, &first, &workspace, &backup)?;
    let master_key = std::fs::read_to_string(first.data().join("master.key"))
        .map_err(|error| format!("the first server has no master key: {error}"))?;
    first.kill()?;
    println!("{} events acknowledged before the backup, {} in all", before.len(), all.len());

    let mut options = ServerOptions::new(&binary);
    options.environment.push(("SIGNALPOST_MASTER_KEY".to_owned(), WRONG_KEY.to_owned()));
    let mut refused = Server::new(options)?;
    signalpost(&binary, &["restore", "--from", &text(&backup)?, "--data", &text(&refused.data())?])?;
    expect_refusal(&mut refused)?;

    let mut options = ServerOptions::new(&binary);
    options.environment.push(("SIGNALPOST_MASTER_KEY".to_owned(), master_key.trim().to_owned()));
    let mut second = Server::new(options)?;
    signalpost(&binary, &["restore", "--from", &text(&backup)?, "--data", &text(&second.data())?])?;
    signalpost(&binary, &["db", "check", "--data", &text(&second.data())?])?;
    second.launch()?;
    second.wait_ready(START_TIMEOUT)?;
    judge(&mut second.operator(), &workspace, &before, &all)?;
    wait_for("the restored server to deliver what is published to it", PATIENCE, || {
        receiver.requests(PATH).iter().any(|request| request.json()["data"]["note"] == NOTE)
    })
}

/// Takes the backup in the middle of publishing. What was acknowledged before it began, and everything.
fn back_up_under_load(
    binary: &Path,
    server: &Server,
    workspace: &str,
    backup: &Path,
) -> Result<(Vec<Acknowledged>, Vec<Acknowledged>), String> {
    let acknowledged = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let reached =
        |count: usize| wait_for("events to be acknowledged", PATIENCE, || lock(&acknowledged).len() >= count);
    let before = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish(server, workspace, &stop, &acknowledged));
        let taken = reached(EVENTS).and_then(|()| {
            let before = lock(&acknowledged).clone();
            signalpost(binary, &["backup", "--data", &text(&server.data())?, "--to", &text(backup)?])?;
            // The guard must not live on while the publisher wants it.
            let so_far = lock(&acknowledged).len();
            reached(so_far + EVENTS)?;
            Ok(before)
        });
        stop.store(true, Ordering::SeqCst);
        publisher.join().map_err(|_| "the publisher panicked".to_owned())??;
        taken
    })?;
    Ok((before, acknowledged.into_inner().expect("no publisher panicked")))
}

fn publish(
    server: &Server,
    workspace: &str,
    stop: &AtomicBool,
    acknowledged: &Mutex<Vec<Acknowledged>>,
) -> Outcome {
    let mut operator = server.operator();
    while !stop.load(Ordering::SeqCst) {
        let answer = operator.publish(workspace, &json!({"type": "backup.tested", "data": {}}))?;
        lock(acknowledged).push(receipt(&answer)?);
    }
    Ok(())
}

fn receipt(answer: &Value) -> Result<Acknowledged, String> {
    let (id, sequence) = (answer["id"].as_str(), answer["sequence"].as_i64());
    let both = id.zip(sequence).ok_or_else(|| format!("not a receipt: {answer}"))?;
    Ok(Acknowledged { id: both.0.to_owned(), sequence: both.1 })
}

fn expect_refusal(server: &mut Server) -> Outcome {
    server.launch()?;
    match server.wait_ready(START_TIMEOUT) {
        Ok(_) => Err("a server started with a master key that opens nothing".to_owned()),
        Err(error) if error.contains("the master key is not the one that sealed") => Ok(()),
        Err(error) => Err(format!("the refusal of a wrong master key is not clear: {error}")),
    }
}

fn judge(operator: &mut Operator, workspace: &str, before: &[Acknowledged], all: &[Acknowledged]) -> Outcome {
    for Acknowledged { id, sequence } in before {
        let event = operator.get(&format!("/v1/workspaces/{workspace}/events/{id}"))?;
        if event["sequence"] != *sequence {
            return Err(format!("event {id} had the sequence {sequence} and came back as {event}"));
        }
    }
    let data = json!({"note": NOTE});
    let next = receipt(&operator.publish(workspace, &json!({"type": "backup.tested", "data": data}))?)?;
    let highest = all.iter().map(|event| event.sequence).max().unwrap_or(0);
    if next.sequence <= highest {
        return Err(format!("sequence {} was handed out again, up to {highest} were", next.sequence));
    }
    Ok(())
}

/// Runs a command of the product and expects success.
fn signalpost(binary: &Path, arguments: &[&str]) -> Outcome {
    let output = Command::new(binary).args(arguments).env_remove("SIGNALPOST_MASTER_KEY").output();
    let output = output.map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
}

fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no publisher panics while it notes an answer")
}
