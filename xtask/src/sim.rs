//! Many simulated worlds, or the history of one. The simulator runs as a program of its own, built for speed.

use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::test::command;
use crate::{Outcome, Task, workspace};

pub(crate) const TASK: Task = Task {
    name: "sim",
    summary: "run the engine in simulated worlds, where everything fails",
    help: "Usage: cargo xtask sim --seeds N [--from M] [--jobs J]
       cargo xtask sim --minutes N [--from M] [--jobs J]
       cargo xtask sim --seed N

A seed decides everything about a world: who publishes what, how receivers answer, when the store fails, clocks jump and
processes die. The same seed gives the same history, byte for byte, as long as the source is the same.

  --seeds N     runs so many worlds, from seed M on (default 1)
  --minutes N   runs fresh seeds until the time is over
  --seed N      prints the whole history of one world, then its configuration and what was found
  --jobs J      worlds that run at once (default: one for each processor)

A world in which something was found is printed with its configuration and the command that repeats it. The last lines sum
up what was done, each kind of trouble by itself. Anything found is a failure.",
    run,
};

fn run(mut args: Args) -> Outcome {
    let mut options = Vec::new();
    for name in ["--seed", "--seeds", "--minutes", "--from", "--jobs"] {
        if let Some(value) = args.value::<u64>(name)? {
            options.extend([name.to_owned(), value.to_string()]);
        }
    }
    args.finish()?;
    let words: Vec<&str> = options.iter().map(String::as_str).collect();
    simulate(&words)
}

/// Runs the simulator with these options.
pub(crate) fn simulate(options: &[&str]) -> Outcome {
    let mut simulator = Command::new(program()?);
    command::run(simulator.args(options))
        .map_err(|_| "something was found, or could not be run; see above".to_owned())
}

/// Builds the simulator with the release profile and returns where it lies.
fn program() -> Result<PathBuf, String> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--quiet", "--package", "signalpost-sim", "--example", "sim"]);
    command::run(&mut cargo)?;
    let program = workspace::target_directory()?.join("release").join("examples").join("sim");
    if program.is_file() { Ok(program) } else { Err(format!("there is no {}", program.display())) }
}
