//! `signalpost bench`: what a delivery costs on this machine, measured from outside and checked to the last delivery.
//!
//! Three processes. This one generates the load and keeps the book; `serve` is the server, set up as anybody would;
//! `bench-receiver` takes, verifies and notes every delivery. `scenario` says what is done, `ledger` what must agree,
//! `phase` how figures come of it.

pub(crate) mod args;
mod calls;
mod client;
mod clock;
mod cluster;
mod fill;
mod group;
mod ledger;
mod load;
mod machine;
mod phase;
mod plan;
mod postgres;
mod process;
pub(super) mod receiver;
mod record;
mod report;
mod request;
mod rig;
mod scenario;
mod schedule;
mod server;
mod tally;
mod tenants;
mod told;

use std::path::{Path, PathBuf};

use tokio::runtime::Builder;
use tokio::task::LocalSet;

use self::args::BenchArgs;
use self::machine::Machine;
use self::plan::{Plan, Scenario};
use self::report::Report;
use crate::cmd::Failure;
use crate::cmd::stop::stop_signal;
use crate::telemetry::{note, say};

/// Exit status of a run whose ledger does not agree.
const VOID: u8 = 2;
/// Stands for standard output where a file is named.
const STANDARD_OUTPUT: &str = "-";

pub(super) fn run(args: BenchArgs) -> Result<(), Failure> {
    if args.list {
        for scenario in Scenario::ALL {
            say(&format!("{:<12} {}\n", scenario.name(), scenario.what()));
        }
        return Ok(());
    }
    let plan = Plan::new(&args)?;
    let machine = Machine::look(&plan.directory)?;
    if machine.is_in_memory() && args.dir.is_none() {
        let what =
            format!("{} lies in memory, where a synced commit costs nothing", plan.directory.display());
        return Err(Failure::new(what).hint("Name a directory on a disk with --dir DIR."));
    }
    let warnings = machine.warnings();
    warnings.iter().for_each(|warning| note(&format!("Warning: {warning}\n")));
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    let scenarios = async {
        let mut reports = Vec::new();
        for scenario in &plan.scenarios {
            reports.push(scenario::run(&plan, *scenario).await?);
        }
        Ok(reports)
    };
    let scenarios = LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            reports = scenarios => reports,
            stopped = stop_signal() => Err(stopped.err().unwrap_or_else(|| Failure::new("stopped"))),
        }
    })?;
    let report = Report { machine, settings: plan.to_json(), warnings, scenarios };
    publish(&report, args.json.as_deref(), args.svg.as_deref())
}

/// Prints and writes the report. A void run fails, after everything it found has been shown.
fn publish(report: &Report, json: Option<&Path>, svg: Option<&Path>) -> Result<(), Failure> {
    let as_json = format!("{:#}\n", report.to_json());
    match json {
        Some(path) if path.as_os_str() == STANDARD_OUTPUT => say(&as_json),
        Some(path) => {
            say(&report.to_text());
            write(path, &as_json)?;
        }
        None => say(&report.to_text()),
    }
    if let Some(path) = svg {
        write(path, &report.to_svg())?;
    }
    let void: Vec<&str> = report.void().collect();
    if void.is_empty() {
        return Ok(());
    }
    let what = format!("this run is void: the ledger of {} does not agree", void.join(", "));
    Err(Failure::new(what).status(VOID))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::write(path, text);
    written.map_err(|error| Failure::io(format!("cannot write {}", PathBuf::from(path).display()), error))
}
