//! Cuts the power under the store at moments drawn from a seed, by the example `powerloss` of the crate `powercut`.

use crate::args::Args;
use crate::test::command;
use crate::{Outcome, Task, workspace};

pub(crate) const TASK: Task = Task {
    name: "powerloss",
    summary: "cut the power under the store, and look for what was acknowledged",
    help: "Usage: cargo xtask powerloss [options]

  --cuts N    power losses (default 2,000)
  --seed N    repeats the places of an earlier run (default 1)

Records the store at work on a disk that knows what was synced: every verb one after the other, callers at once with group
commit, restarts, recoveries, migrations, a backup and a restore. After each cut the store is opened on what the disk may
hold then, and must show all that was acknowledged, and nothing by halves. The controls are stores that do not sync, and
must lose. The last line says how often the power was cut, how much that was acknowledged was looked for, and how many
cuts lost any of it. Fails when one did, and when a control lost nothing.

What the disk may do is said in crates/powercut/src/platter.rs.",
    run: run_task,
};

/// Cuts before a change lands.
const CUTS: u64 = 2_000;

fn run_task(mut args: Args) -> Outcome {
    let (cuts, seed) = (args.value_or("--cuts", CUTS)?, args.value_or("--seed", 1)?);
    args.finish()?;
    if cuts == 0 {
        return Err("--cuts is at least 1".to_owned());
    }
    run(cuts, seed)
}

/// The step of `cargo xtask test`.
pub(crate) fn step() -> Outcome {
    run(CUTS, 1)
}

fn run(cuts: u64, seed: u64) -> Outcome {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--package", "signalpost-powercut", "--example", "powerloss", "--"]);
    cargo.args(["--cuts", &cuts.to_string(), "--seed", &seed.to_string()]);
    command::run(&mut cargo)
}
