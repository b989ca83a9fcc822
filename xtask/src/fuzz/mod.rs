//! Throws what a stranger could send at every parser that a stranger reaches, guided by libFuzzer on the stable
//! toolchain. The targets are functions of `crates/fuzz`; this task builds them instrumented, runs them and reports.

mod build;
mod corpus;
mod session;
mod table;

use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::test::command;
use crate::{Outcome, Task, workspace};
use build::{Fuzzer, Known};
use session::{Bound, Report, Session, Way};

pub(crate) const TASK: Task = Task {
    name: "fuzz",
    summary: "look for input that breaks a parser or a promise, guided by coverage",
    help: "Usage: cargo xtask fuzz [--target T] [--minutes N | --runs N] [options]

Runs every target, or one, beginning with the inputs in crates/fuzz/corpus and those that earlier runs have found
(below target/fuzz). Needs a C++ compiler and nothing else that is not built here. Fails when there is a finding.

  --target T     this target alone
  --minutes N    for N minutes of the processor's time each (default 1)
  --runs N       for N executions each instead
  --list         prints the targets and what each promises
  --input FILE   tries one input on --target T, such as a finding; prints the panic when it still breaks
  --keep         puts the fewest inputs that reach what all known inputs reach into crates/fuzz/corpus instead

A finding is a file below target/fuzz/findings. Mend the fault at its root, add a test beside the code, and copy the file
into crates/fuzz/corpus, where `cargo test` tries it from then on.",
    run,
};

/// Seconds of the processor's time that a target has in the short run of `cargo xtask test`.
const SMOKE_SECONDS: u64 = 3;

fn run(mut args: Args) -> Outcome {
    let chosen: Option<String> = args.value("--target")?;
    let minutes: Option<u64> = args.value("--minutes")?;
    let runs: Option<u64> = args.value("--runs")?;
    let input: Option<PathBuf> = args.value("--input")?;
    let (list, keep) = (args.switch("--list"), args.switch("--keep"));
    args.finish()?;
    let bound = match (minutes, runs) {
        (Some(_), Some(_)) => return Err("--minutes and --runs exclude each other".to_owned()),
        (_, Some(runs)) => Bound::Runs(runs),
        (minutes, None) => Bound::Seconds(minutes.unwrap_or(1) * 60),
    };
    let fuzzer = build::build()?;
    let targets = among(fuzzer.targets()?, chosen.as_deref())?;
    if list {
        targets.iter().for_each(|target| println!("{:<20} {}", target.name, target.about));
        return Ok(());
    }
    match input {
        Some(input) => repeat(&fuzzer, &targets, &input),
        None if keep => targets.iter().try_for_each(|target| corpus::keep(&fuzzer, target)),
        None => search(&fuzzer, &targets, bound, Way::New),
    }
}

/// The short run of `cargo xtask test`: the kept inputs, then a few seconds for each target. They go the same way each time:
/// what only another way finds is for the long runs, and must not hold up a change that has nothing to do with it.
pub(crate) fn smoke() -> Outcome {
    let fuzzer = build::build()?;
    search(&fuzzer, &fuzzer.targets()?, Bound::Seconds(SMOKE_SECONDS), Way::Same)
}

fn among(targets: Vec<Known>, chosen: Option<&str>) -> Result<Vec<Known>, String> {
    let Some(chosen) = chosen else { return Ok(targets) };
    let found: Vec<Known> = targets.into_iter().filter(|target| target.name == chosen).collect();
    if found.is_empty() { Err(format!("`{chosen}` is not a target; --list prints them")) } else { Ok(found) }
}

/// Tries one input, which is to be judged by somebody.
fn repeat(fuzzer: &Fuzzer, targets: &[Known], input: &PathBuf) -> Outcome {
    let [target] = targets else { return Err("--input needs --target".to_owned()) };
    let mut command: Command = fuzzer.command(target);
    command::run(command.arg(input))
}

fn search(fuzzer: &Fuzzer, targets: &[Known], bound: Bound, way: Way) -> Outcome {
    let mut reports: Vec<Report> = Vec::new();
    for target in targets {
        let report = Session::new(fuzzer, target)?.run(bound, way)?;
        println!("{}", table::line(&report));
        reports.push(report);
    }
    println!("\n{}", table::of(&reports));
    let broken: Vec<&Report> = reports.iter().filter(|report| report.finding.is_some()).collect();
    for report in &broken {
        if let Some(file) = &report.finding {
            let file = file.strip_prefix(workspace::root()).unwrap_or(file).display();
            println!(
                "{}: repeat it with\n  cargo xtask fuzz --target {} --input {file}",
                report.target, report.target
            );
        }
    }
    match broken.len() {
        0 => Ok(()),
        count => Err(format!("{count} target(s) broke a promise")),
    }
}
