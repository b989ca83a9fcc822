//! A short crash test: enough to notice that durability broke. Longer ones: `cargo xtask crash --cycles 1000`.

use crate::crash::{self, Plan};
use crate::{Outcome, release};

const CYCLES: u32 = 5;

pub(super) fn run() -> Outcome {
    let plan = Plan { cycles: CYCLES, rate_per_s: 400, connections: 8, seed: crash::seed_from_clock() };
    let report = crash::run(plan, &release::binary()?)?;
    println!("{report}");
    report.verdict()
}
