//! How long pages of the dashboard take with a long history behind them: a store is filled by the example `history` of the crate
//! `store-sqlite`, and the release binary serves it to somebody who is signed in.

mod reader;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use reader::Reader;
use report::Measured;
use signalpost_testkit::{Server, ServerOptions, TempDir};

use crate::args::Args;
use crate::release::{self, START_TIMEOUT};
use crate::test::command;
use crate::{Outcome, Task, workspace};

pub(crate) const TASK: Task = Task {
    name: "pages-speed",
    summary: "fill a store, and measure how long pages of the dashboard take",
    help: "Usage: cargo xtask pages-speed [options]

  --attempts N   attempts in the store (default 10,000,000: some minutes and 3 GB)
  --rounds N     how often each page is fetched (default 100)
  --dir DIR      keeps the store there; one that is there already is taken as it is
  --binary FILE  the server, in place of one that is built

Fetches each page one after the other over one connection, and lists also page by page, each further back than the one before.
Prints for each the median, the 95th percentile and the longest, in milliseconds, with the size of the page. Fails when a 95th
percentile is 100 ms or more.",
    run,
};

const ATTEMPTS: u64 = 10_000_000;
const ROUNDS: usize = 100;
/// What no page may take at the 95th percentile.
const LIMIT: Duration = Duration::from_millis(100);

/// The workspace that has half of all events, and its webhook that gets each of them, as the example names them.
const WORKSPACE: &str = "ws-1";
const WEBHOOK: &str = "wh-1000";

fn run(mut args: Args) -> Outcome {
    let attempts = args.value_or("--attempts", ATTEMPTS)?;
    let rounds = args.value_or("--rounds", ROUNDS)?.max(1);
    let kept: Option<PathBuf> = args.value("--dir")?;
    let binary = release::chosen(&mut args)?;
    args.finish()?;
    let temporary = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
    let directory = kept.unwrap_or_else(|| temporary.path().join("history"));
    fill(attempts, &directory)?;
    let mut options = ServerOptions::new(binary);
    // Nothing in this store is sealed, so any key will do; a server makes none for a store that is there.
    options.environment.push(("SIGNALPOST_MASTER_KEY".to_owned(), "07".repeat(32)));
    let mut server = Server::new(options)?;
    std::os::unix::fs::symlink(&directory, server.data())
        .map_err(|error| format!("{} is no place for data: {error}", directory.display()))?;
    server.launch()?;
    server.wait_ready(START_TIMEOUT)?;
    let mut reader = Reader::sign_in(&server)?;
    let measured = measure(&mut reader, rounds)?;
    report::print(&measured);
    report::judge(&measured, LIMIT)
}

/// Unless there is a store already.
fn fill(attempts: u64, directory: &Path) -> Outcome {
    if directory.join("signalpost.db").exists() {
        println!("{} is there already and taken as it is", directory.display());
        return Ok(());
    }
    let made = std::fs::create_dir_all(directory.parent().unwrap_or(directory));
    made.map_err(|error| format!("{} cannot be made: {error}", directory.display()))?;
    let mut cargo = workspace::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "signalpost-store-sqlite",
        "--example",
        "history",
        "--",
    ]);
    cargo.arg(attempts.to_string()).arg(directory);
    command::run(&mut cargo)
}

fn measure(reader: &mut Reader, rounds: usize) -> Result<Vec<Measured>, String> {
    let workspace = format!("/dash/workspaces/{WORKSPACE}");
    let (events, deliveries) = (format!("{workspace}/events"), format!("{workspace}/deliveries"));
    let of_webhook = format!("{deliveries}?webhook={WEBHOOK}");
    let failed = format!("{deliveries}?status=failed");
    let delivery = reader.first_link(&failed, "/dash/deliveries/")?;
    let event = reader.first_link(&events, &format!("{events}/"))?;
    let mut measured = Vec::new();
    for (name, path) in [
        ("overview", "/dash".to_owned()),
        ("workspaces", "/dash/workspaces".to_owned()),
        ("workspace", workspace.clone()),
        ("webhook", format!("{workspace}/webhooks/{WEBHOOK}")),
        ("event", event),
        ("delivery", delivery),
    ] {
        measured.push(reader.again_and_again(name, &path, rounds)?);
    }
    for (name, path) in [
        ("events", events.clone()),
        ("events of a type", format!("{events}?type=order.paid")),
        ("deliveries", deliveries.clone()),
        ("deliveries of a webhook", of_webhook.clone()),
        ("failed deliveries", failed),
        ("failed deliveries of a webhook", format!("{of_webhook}&status=failed")),
        ("pending deliveries", format!("{deliveries}?status=pending")),
        ("deliveries of a type", format!("{deliveries}?type=order.paid")),
        // There are none, however far back anybody looks.
        ("deliveries answered by what there is not", format!("{deliveries}?answer=418")),
        ("dropped deliveries", format!("{deliveries}?status=dropped")),
        ("events of no type that there is", format!("{events}?type=nothing.of.the.kind")),
    ] {
        measured.push(reader.again_and_again(name, &path, rounds)?);
        measured.push(reader.page_by_page(&format!("{name}, page by page"), &path, rounds)?);
    }
    Ok(measured)
}
