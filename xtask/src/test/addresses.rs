//! Lets another language's table of special addresses judge beside the guard of deliveries: borders of all blocks, and four
//! hundred thousand addresses from everywhere.

use std::process::Command;

use super::command;
use crate::{Outcome, workspace};

const PROGRAM: &str = include_str!("addresses.py");
const CORPUS: &str = "crates/outbound/tests/ssrf.txt";

pub(super) fn run() -> Outcome {
    command::cargo(&["build", "--quiet", "--package", "signalpost-outbound", "--example", "judge"])?;
    let judge = workspace::target_directory()?.join("debug").join("examples").join("judge");
    let mut python = Command::new("python3");
    command::run(python.args(["-c", PROGRAM]).arg(judge).arg(CORPUS).current_dir(workspace::root()))
}
