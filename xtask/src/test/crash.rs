//! A short crash test: enough to notice that durability broke. Longer ones: `cargo xtask crash --cycles 1000`.

use crate::Outcome;
use crate::crash::{self, Plan};

const CYCLES: u32 = 5;

pub(super) fn run() -> Outcome {
    let plan = Plan { cycles: CYCLES, rate_per_s: 400, connections: 8, seed: crash::seed_from_clock() };
    let report = crash::run(plan)?;
    println!("{report}");
    report.verdict()
}
