//! Cuts one course's power at many places and has what is left judged.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use signalpost_testkit::{Rng, TempDir};

use super::course::Course;
use super::judge::Loss;
use crate::{Platter, Syncs};

/// What came of cuts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub cuts: usize,
    /// Rows and changes that a caller had been told of and that were looked for, over all cuts.
    pub acknowledged: usize,
    /// One sentence for each cut after which something was missing, half there, or could not be opened.
    pub losses: Vec<String>,
    /// Cuts among these after which everything could be read and an acknowledged row was not there.
    pub missing: usize,
    /// Times that a write-ahead log began anew.
    pub wraps: usize,
}

impl Tally {
    pub fn lost(&self) -> usize {
        self.losses.len()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.cuts += other.cuts;
        self.acknowledged += other.acknowledged;
        self.wraps += other.wraps;
        self.losses.extend(other.losses);
        self.missing += other.missing;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuts {}, acknowledged {}, lost {}", self.cuts, self.acknowledged, self.lost())
    }
}

/// Cuts at so many places, at every one when there are no more than that.
pub(super) fn sweep(course: &Course, cuts: usize, seed: u64, syncs: Syncs) -> Tally {
    let mut tally = Tally { wraps: course.wraps(), ..Tally::default() };
    let folder = TempDir::new().expect("the system has a temporary folder");
    let image_folder = folder.path().join("image");
    let mut platter = Platter::of(&course.log.base).with(syncs);
    let mut applied = 0;
    for (place, cut_seed) in places(course.log.ops.len(), cuts, seed) {
        for op in &course.log.ops[applied..place] {
            platter.apply(op);
        }
        applied = place;
        platter.cut(cut_seed).write_to(&image_folder).expect("a temporary folder can be written to");
        // A store that cannot be opened any more may say so by a panic of whoever opens it.
        let judged = catch_unwind(AssertUnwindSafe(|| (course.judge)(&image_folder, place)));
        tally.cuts += 1;
        let panicked = || Loss::Broken("what is left made the store panic".to_owned());
        match judged.unwrap_or_else(|_| Err(panicked())) {
            Ok(acknowledged) => tally.acknowledged += acknowledged,
            Err(loss) => {
                tally.missing += usize::from(matches!(loss, Loss::Missing(_)));
                tally.losses.push(format!(
                    "course {seed}, cut {cut_seed} after change {place} of {}: {loss}",
                    course.log.ops.len()
                ));
            }
        }
    }
    tally
}

/// Places in order, each with a seed of its own. The end always comes; with more cuts than places all others do as well,
/// and some several times.
fn places(ops: usize, cuts: usize, seed: u64) -> Vec<(usize, u64)> {
    let mut rng = Rng::new(seed ^ 0xC07);
    let mut places: Vec<(usize, u64)> = (0..cuts)
        .map(|cut| {
            let drawn = usize::try_from(rng.below(ops as u64 + 1)).unwrap_or(0);
            let place = match cut {
                // Behind everything that was told.
                0 => ops,
                _ if cuts > ops => cut % (ops + 1),
                _ => drawn,
            };
            (place, rng.next_u64())
        })
        .collect();
    places.sort_unstable();
    places
}
