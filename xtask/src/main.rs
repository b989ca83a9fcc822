//! Development tasks, one file each, behind `cargo xtask <task>`.
//!
//! Nothing here ships. The tasks drive the product from outside, through its command line and over HTTP, and
//! share no code with it, so that a mistake cannot hide by being made twice.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a development tool: printing is its answer to the person who called it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tasks stand outside the product, on the world's side of its ports"
)]

mod args;
mod fuzz;
mod mutants;
mod openapi;
mod pages_speed;
mod powerloss;
mod release;
mod replay;
mod scenarios;
mod signature;
mod sim;
mod stages;
mod test;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use args::Args;

/// What a task returns: a sentence for the person at the terminal when it fails.
type Outcome = Result<(), String>;

struct Task {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(Args) -> Outcome,
}

const TASKS: &[Task] = &[
    test::TASK,
    tidy::TASK,
    scenarios::TASK,
    sim::TASK,
    torture::TASK,
    replay::TASK,
    fuzz::TASK,
    powerloss::TASK,
    mutants::TASK,
    stages::TASK,
    pages_speed::TASK,
    openapi::TASK,
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "--help".to_owned());
    let rest: Vec<String> = words.collect();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return overview(&name);
    };
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        println!("cargo xtask {}: {}\n\n{}", task.name, task.summary, task.help);
        return ExitCode::SUCCESS;
    }
    match (task.run)(Args::new(rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cargo xtask {}: {message}", task.name);
            ExitCode::FAILURE
        }
    }
}

/// The list of tasks: an answer when it was asked for, a refusal when the task is unknown.
fn overview(asked: &str) -> ExitCode {
    println!("Development tasks of Signalpost.\n\nUsage: cargo xtask <task> [options]\n");
    for task in TASKS {
        println!("  {:<11} {}", task.name, task.summary);
    }
    println!("\n`cargo xtask <task> --help` tells more. Before you hand in a change: `cargo xtask test`.");
    if matches!(asked, "--help" | "-h" | "help") {
        return ExitCode::SUCCESS;
    }
    eprintln!("\n`{asked}` is not a task.");
    ExitCode::FAILURE
}
