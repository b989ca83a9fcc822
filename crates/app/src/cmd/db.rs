//! `signalpost db`: looking at a database without changing it.

use clap::{Args, Subcommand};
use serde_json::json;
use signalpost_store_sqlite::copy::{CheckReport, check};

use crate::cmd::Failure;
use crate::cmd::copies::{copy_failure, mib};
use crate::cmd::place::PlaceArgs;
use crate::telemetry::{note, say};

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Read the whole database and say whether it is whole. The server may be running; a large one takes minutes.
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Check(args) => run_check(args),
    }
}

fn run_check(args: &CheckArgs) -> Result<(), Failure> {
    let report = check(&args.place.embedded()?.data, &mut |part| note(&format!("checking {part}\n")))
        .map_err(copy_failure)?;
    say(&if args.json { as_json(&report) } else { as_text(&report) });
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{} problems were found", report.problems.len()))
        .hint("Stop the server, keep a copy of the data directory, and restore a backup if you have one."))
}

fn as_json(report: &CheckReport) -> String {
    let report = json!({
        "ok": report.problems.is_empty(),
        "schema": report.schema,
        "bytes": report.bytes,
        "free_bytes": report.free_bytes,
        "workspaces": report.workspaces,
        "webhooks": report.webhooks,
        "events": report.events,
        "attempts": report.attempts,
        "deliveries_owed": report.owed,
        "problems": report.problems,
    });
    format!("{report:#}\n")
}

fn as_text(report: &CheckReport) -> String {
    let mut text = format!(
        "Schema {}, {} of which {} are free for reuse.\n{} workspaces, {} webhooks, {} events, {} attempts, {} \
         deliveries owed.\n",
        report.schema,
        mib(report.bytes),
        mib(report.free_bytes),
        report.workspaces,
        report.webhooks,
        report.events,
        report.attempts,
        report.owed,
    );
    if report.problems.is_empty() {
        text.push_str("No problem was found.\n");
    }
    for problem in &report.problems {
        text.push_str(&format!("PROBLEM: {problem}\n"));
    }
    text
}
