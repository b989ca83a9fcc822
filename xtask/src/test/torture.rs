//! Every kind of trouble once, under load. Longer runs, of kills mostly: `cargo xtask torture --minutes 30`.

use crate::torture::{self, Plan, StoreKind};
use crate::{Outcome, release};

pub(super) fn run() -> Outcome {
    let report = torture::run(Plan::short(StoreKind::Sqlite), &release::binary()?)?;
    println!("{report}\n{}", report.last_line());
    if let Some(first) = report.skipped.first() {
        return Err(format!("this step makes every kind of trouble, and could not: {first}"));
    }
    report.verdict()
}
