//! Looking for a planted fault, world after world, until the auditor names it.

use std::fmt;

use crate::plant::Plant;
use crate::report::{Report, run};

/// A planted fault must show within this many worlds.
pub const SEEDS_MAX: u64 = 60;

/// How a planted fault was caught.
#[derive(Clone, Debug)]
pub struct Catch {
    pub plant: Plant,
    /// Worlds that were run until then, with the seeds from 1 on.
    pub seeds: u64,
    /// The finding that names it.
    pub finding: String,
    /// The same world without it.
    pub clean: Report,
}

/// The first world of at most `seeds_max` in which the auditor names the fault, if there is one.
pub fn hunt(plant: Plant, seeds_max: u64) -> Option<Catch> {
    (1..=seeds_max).find_map(|seed| {
        let finding = named(plant, &run(seed, plant))?;
        Some(Catch { plant, seeds: seed, finding, clean: run(seed, Plant::Nothing) })
    })
}

fn named(plant: Plant, report: &Report) -> Option<String> {
    let shows = |words: &str| report.history.iter().any(|line| line.contains(words));
    if !plant.needs().is_none_or(shows) {
        return None;
    }
    report.findings.iter().find(|finding| finding.contains(plant.finding())).cloned()
}

impl fmt::Display for Catch {
    /// A row of a table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| `{:?}` | \"{}\" | {} |", self.plant, self.plant.finding(), self.seeds)
    }
}
