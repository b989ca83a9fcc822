//! The differential test: random sequences of verbs on the memory model and on another store, which must answer
//! alike and show the same state after each step.
//!
//! A backend's test says `differential::assert_like_the_model(Effort { .. }, || MyHarness::new())`.

pub mod change;
pub mod desk;
pub mod look;
pub mod operation;
mod pair;
pub mod portal;
pub mod replays;
pub mod rollups;
mod shown;
mod step;
pub mod users;
mod world;

use std::fmt;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

pub use operation::{Operation, sequences};
pub use shown::{Commits, Shown, show};

use super::block_on::block_on;
use super::conformance::Harness;
use super::memory::MemoryStore;
use pair::Pair;
use world::World;

/// How long to search. The same effort always tries the same sequences.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub seed: u64,
    /// Sequences to try.
    pub sequences: u32,
}

/// Where two stores first differed.
#[derive(Debug)]
pub struct Difference {
    /// Counts from zero; `None` while the first objects are made, or at the very end.
    pub step: Option<usize>,
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {step}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Tries sequences until one tells the store from the model, and gives the shortest form of it that was found.
pub fn find_difference<H: Harness>(
    effort: Effort,
    subject: impl Fn() -> H,
) -> Option<(Vec<Operation>, String)> {
    let config = Config { cases: effort.sequences, failure_persistence: None, ..Config::default() };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&effort.seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&sequences(), |operations| {
        run(&operations, &MemoryStore::new(), &subject())
            .map_err(|difference| TestCaseError::fail(difference.to_string()))
    });
    match outcome {
        Ok(()) => None,
        Err(TestError::Fail(why, operations)) => Some((operations, why.message().to_owned())),
        Err(TestError::Abort(why)) => Some((Vec::new(), format!("no sequence could be made: {why}"))),
    }
}

/// Panics with the shortest sequence found that tells the store from the model.
pub fn assert_like_the_model<H: Harness>(effort: Effort, subject: impl Fn() -> H) {
    if let Some((operations, what)) = find_difference(effort, subject) {
        panic!("the store differs from the model after {operations:#?}\n{what}");
    }
}

/// Applies each operation to both stores and compares what they answer, tell and show.
pub fn run(operations: &[Operation], model: &dyn Harness, subject: &dyn Harness) -> Result<(), Difference> {
    let mut pair = Pair::open(model, subject);
    let mut world = World::default();
    let in_step = |step| move |what| Difference { step, what };
    block_on(step::furnish(&pair, &mut world)).map_err(in_step(None))?;
    for (step, operation) in operations.iter().enumerate() {
        block_on(step::apply(operation, &mut pair, &mut world)).map_err(in_step(Some(step)))?;
        block_on(pair.compare(&world)).map_err(in_step(Some(step)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
