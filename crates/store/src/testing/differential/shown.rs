//! A random sequence on another store and the model, with what the model shows between any two steps: for whoever
//! interrupts the store and wants to know what it must show then.

use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::operation::{Operation, sequences_of};
use super::pair::Pair;
use super::world::World;
use super::{Difference, step};
use crate::testing::block_on::block_on;
use crate::testing::conformance::Harness;
use crate::testing::memory::MemoryStore;
use crate::testing::snapshot::Snapshot;

/// The moment before a step.
pub struct Shown {
    /// What both stores show by now.
    pub before: Snapshot,
    /// Of the step that comes.
    pub commits: Commits,
    /// The step in words.
    pub step: String,
}

/// What may be seen of a step that is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// Nothing of it, or all.
    One,
    /// Several commits, each of which removes something: see [`Snapshot::difference_on_the_way`].
    Removals,
}

/// Applies as many operations as asked for, which the seed chooses, and tells of the moment before each, and of that after
/// the last with a step that is none. The answers are compared, as in the differential test.
pub fn show(
    seed: u64,
    steps: usize,
    subject: &dyn Harness,
    told: &mut dyn FnMut(Shown),
) -> Result<(), Difference> {
    let (model, mut world) = (MemoryStore::new(), World::default());
    let mut pair = Pair::open(&model, subject);
    let in_step = |step| move |what| Difference { step, what };
    block_on(step::furnish(&pair, &mut world)).map_err(in_step(None))?;
    for (number, operation) in operations(seed, steps).iter().enumerate() {
        told(Shown {
            before: shown(&pair).map_err(in_step(Some(number)))?,
            commits: commits_of(operation),
            step: format!("{operation:?}"),
        });
        block_on(step::apply(operation, &mut pair, &mut world)).map_err(in_step(Some(number)))?;
    }
    let before = shown(&pair).map_err(in_step(None))?;
    told(Shown { before, commits: Commits::One, step: "none".to_owned() });
    Ok(())
}

fn operations(seed: u64, steps: usize) -> Vec<Operation> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = sequences_of(steps).new_tree(&mut runner).expect("operations can always be made");
    tree.current()
}

fn shown(pair: &Pair<'_>) -> Result<Snapshot, String> {
    let [model, _] = pair.stores();
    block_on(Snapshot::of(model)).map_err(|error| format!("the model: {error}"))
}

const fn commits_of(operation: &Operation) -> Commits {
    match operation {
        Operation::Retain { .. } => Commits::Removals,
        // Upkeep as well: what it does is not to be seen but for what has expired by its clock, and that goes with its first
        // step.
        _ => Commits::One,
    }
}
