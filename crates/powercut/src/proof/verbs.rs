//! Every verb, one after the other: a random sequence as the differential test has them, with the memory model as the
//! witness of what was told. Closing and opening anew are among the operations.

use signalpost_store::Store;
use signalpost_store::testing::differential::{Commits, Shown, show};
use signalpost_store::testing::snapshot::Snapshot;

use super::course::{Course, Notes};
use super::judge::{self, Between, Loss};
use super::place::{Place, Syncing, data};
use crate::Log;

const STEPS: usize = 70;

/// What was written, and what the model showed before each step and after the last.
pub(super) struct Worked {
    pub(super) log: Log,
    shown: Vec<Shown>,
}

impl Worked {
    /// What there must be in the end.
    pub(super) fn last(mut self) -> Snapshot {
        self.shown.pop().expect("the moment after the last step is told of").before
    }
}

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let Worked { log, shown } = work(seed, syncing)?;
    let notes = Notes::of(&log);
    Ok(Course {
        log,
        judge: Box::new(move |folder, cut| {
            let store = judge::open(folder)?;
            judge::check_whole(&data(folder))?;
            let Some(told) = notes.before(cut).next_back() else { return Ok(0) };
            let told = usize::try_from(told).expect("few steps");
            check(&shown[told], shown.get(told + 1), &store)
        }),
    })
}

pub(super) fn work(seed: u64, syncing: Syncing) -> Result<Worked, String> {
    let place = Place::new(syncing);
    let mut shown: Vec<Shown> = Vec::new();
    // The moment before a step is the one at which its caller was told of the step before.
    show(seed, STEPS, &place, &mut |moment| {
        place.watch.note(shown.len() as u64);
        shown.push(moment);
    })
    .map_err(|difference| difference.to_string())?;
    Ok(Worked { log: place.watch.log(), shown })
}

/// What the store shows is what it showed before the step that was under way, or after it, or, where the step removes
/// things in several commits, something on the way between the two.
fn check(moment: &Shown, next: Option<&Shown>, store: &dyn Store) -> Result<usize, Loss> {
    let seen = judge::snapshot(store)?;
    let before = &moment.before;
    let Some(not_before) = before.difference(&seen) else { return Ok(before.rows()) };
    let after = next.map(|next| &next.before);
    let not_after = match (moment.commits, after) {
        (_, None) => Some("nothing was under way".to_owned()),
        (Commits::One, Some(after)) => after.difference(&seen),
        (Commits::Removals, Some(after)) => before.difference_on_the_way(after, &seen),
    };
    match not_after {
        None => Ok(after.map_or(0, Snapshot::rows).min(before.rows())),
        Some(not_after) => {
            let what = format!(
                "during {}: neither as before it ({not_before}) nor as after it ({not_after})",
                moment.step
            );
            Err(Between { before, after }.loss(&seen, what))
        }
    }
}
