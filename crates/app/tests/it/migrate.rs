//! `signalpost migrate` as an operator runs it: killed again and again, then through; and what is pending goes out once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{Answer, Postgres, Receiver, Server, TempDir, wait_for};

use crate::copies::done;
use crate::{PATIENCE, options};

const EVENTS: usize = 40;

fn migrate(from: &Path, url: &str, master_key: Option<&str>) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    process.arg("migrate").arg("--from").arg(from).arg("--json");
    process.env_remove("SIGNALPOST_MASTER_KEY").env("SIGNALPOST_DATABASE_URL", url);
    process.envs(master_key.map(|key| ("SIGNALPOST_MASTER_KEY", key)));
    process
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A receiver that refuses everything until it is told otherwise, and what it has taken by then: how often each event.
struct Moody {
    receiver: Receiver,
    takes: Arc<AtomicBool>,
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Moody {
    fn start() -> Self {
        let (takes, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeMap::new())));
        let (now, into) = (Arc::clone(&takes), Arc::clone(&taken));
        let receiver = Receiver::start(Arc::new(move |request| {
            if !now.load(Ordering::SeqCst) {
                return Answer::status(503);
            }
            let id = request.header("webhook-id").unwrap_or_default().to_owned();
            *into.lock().unwrap().entry(id).or_default() += 1;
            Answer::status(200)
        }));
        Self { receiver: receiver.unwrap(), takes, taken }
    }
}

/// A server on a data directory with events that all wait for their retry, and the workspace.
fn with_pending(moody: &Moody) -> (Server, String) {
    let server = Server::start(options(&[]), PATIENCE).unwrap();
    let mut operator = server.operator();
    let policy = json!({"retry_schedule_s": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]});
    let workspace = json!({"dialect": "native", "name": "a", "policy": policy});
    let workspace = operator.create_workspace(&workspace).unwrap();
    operator.create_webhook(&workspace, &json!({"url": moody.receiver.url("/hook")})).unwrap();
    for number in 0..EVENTS {
        operator.publish(&workspace, &json!({"type": "order.paid", "data": {"number": number}})).unwrap();
    }
    wait_for("attempts at all events", PATIENCE, || listed(&server, &workspace, "pending") == EVENTS)
        .unwrap();
    (server, workspace)
}

fn listed(server: &Server, workspace: &str, status: &str) -> usize {
    let path = format!("/v1/workspaces/{workspace}/deliveries?limit=100&status={status}");
    server.operator().get(&path).unwrap()["data"].as_array().unwrap().len()
}

/// Kills it ever later, until it is through before.
fn kill_until_through(data: &Path, url: &str) -> Value {
    for round in 1.. {
        let mut process = migrate(data, url, None);
        let mut running = process.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 25));
        // Whoever has ended cannot be killed.
        drop(running.kill());
        let output = running.wait_with_output().unwrap();
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).unwrap();
        }
    }
    unreachable!("rounds have no end")
}

#[test]
fn what_is_pending_goes_out_once_after_a_move_that_was_killed() {
    let moody = Moody::start();
    let database = Postgres::start(&[]).unwrap();
    let (mut server, workspace) = with_pending(&moody);
    let data = server.data();
    let in_use = refused(&migrate(&data, &database.url(), None).output().unwrap());
    assert!(in_use.contains("is in use by another process"), "{in_use}");
    assert!(server.stop(PATIENCE).unwrap().success());
    let other_key = "2:".to_owned() + &"ab".repeat(32);
    let wrong = refused(&migrate(&data, &database.url(), Some(&other_key)).output().unwrap());
    assert!(wrong.contains("the data directory: the master key is not the one"), "{wrong}");

    let report = kill_until_through(&data, &database.url());
    // One that was killed between its end and its word says that there is nothing to do.
    if report["moved_before"] == json!(false) {
        assert_eq!(report["tables"]["message"]["rows"], json!(EVENTS));
        assert_eq!(report["tables"]["due"]["rows"], json!(EVENTS));
    }
    moody.takes.store(true, Ordering::SeqCst);
    server.launch().unwrap();
    let said = server.wait_ready(PATIENCE).unwrap_err();
    assert!(said.contains("was moved to PostgreSQL") && said.contains("signalpost.moved"), "{said}");
    server.kill().unwrap();

    server.set_environment(vec![("SIGNALPOST_DATABASE_URL".to_owned(), database.url())]);
    server.launch().unwrap();
    server.wait_ready(PATIENCE).unwrap();
    wait_for("all to be delivered", PATIENCE, || listed(&server, &workspace, "delivered") == EVENTS).unwrap();
    let taken = moody.taken.lock().unwrap().clone();
    assert_eq!((taken.len(), taken.values().sum::<usize>()), (EVENTS, EVENTS), "{taken:?}");
    let next = server.operator().publish(&workspace, &json!({"type": "order.paid", "data": {}})).unwrap();
    assert_eq!(next["sequence"], json!(EVENTS + 1), "it goes on where it was");
    assert!(server.stop(PATIENCE).unwrap().success());
    let again = done(&migrate(&data, &database.url(), None).output().unwrap());
    assert!(again.contains("\"moved_before\": true"), "{again}");

    let elsewhere = Postgres::start(&[]).unwrap();
    let twice = refused(&migrate(&data, &elsewhere.url(), None).output().unwrap());
    assert!(twice.contains("was moved before, into another database"), "{twice}");
    std::fs::remove_file(data.join("signalpost.moved")).unwrap();
    let back = refused(&migrate(&data, &database.url(), None).output().unwrap());
    assert!(back.contains("to which somebody has gone back since"), "{back}");
}

#[test]
fn a_database_that_is_not_for_it_is_refused() {
    let folder = TempDir::new().unwrap();
    let url = "postgres://127.0.0.1:1/x";
    let nothing = refused(&migrate(folder.path(), url, None).output().unwrap());
    assert!(nothing.contains("there is no database in"), "{nothing}");
    let no_url = refused(&migrate(folder.path(), "", None).args(["--to", "mysql://x"]).output().unwrap());
    assert!(no_url.contains("--to is no URL of a PostgreSQL server"), "{no_url}");

    let moody = Moody::start();
    let (mut server, _) = with_pending(&moody);
    assert!(server.stop(PATIENCE).unwrap().success());
    let data = server.data();
    let away = refused(&migrate(&data, url, None).output().unwrap());
    assert!(away.contains("PostgreSQL cannot be reached"), "{away}");

    let database = Postgres::start(&[]).unwrap();
    let environment = |key: &str| {
        vec![
            ("SIGNALPOST_DATABASE_URL".to_owned(), database.url()),
            ("SIGNALPOST_MASTER_KEY".to_owned(), key.repeat(32)),
        ]
    };
    let mut other = Server::new(options(&[])).unwrap();
    other.set_environment(environment("ab"));
    other.launch().unwrap();
    other.wait_ready(PATIENCE).unwrap();
    let busy = migrate(&data, &database.url(), None).output().unwrap();
    assert!(refused(&busy).contains("processes work on this database"));
    assert!(other.stop(PATIENCE).unwrap().success());
    let sealed = refused(&migrate(&data, &database.url(), None).output().unwrap());
    assert!(sealed.contains("the target: the master key is not the one"), "{sealed}");
    other.launch().unwrap();
    other.wait_ready(PATIENCE).unwrap();
    other.operator().create_workspace(&json!({"dialect": "native", "name": "b"})).unwrap();
    assert!(other.stop(PATIENCE).unwrap().success());
    let full = refused(&migrate(&data, &database.url(), None).output().unwrap());
    assert!(full.contains("the target is not empty: there are rows in its table workspace"), "{full}");
}
