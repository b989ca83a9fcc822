//! Every verb, one after the other: a random sequence as the differential test has them, with the memory model as the
//! witness of what was told. Closing and opening anew are among the operations.

use signalpost_store::Store;
use signalpost_store::testing::differential::{Commits, Shown, show};

use super::course::{Course, Notes};
use super::judge;
use super::place::{Place, Syncing, data};

const STEPS: usize = 70;

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let place = Place::new(syncing);
    let mut shown: Vec<Shown> = Vec::new();
    // The moment before a step is the one at which its caller was told of the step before.
    show(seed, STEPS, &place, &mut |moment| {
        place.watch.note(shown.len() as u64);
        shown.push(moment);
    })
    .map_err(|difference| difference.to_string())?;
    let log = place.watch.log();
    let notes = Notes::of(&log);
    Ok(Course {
        log,
        judge: Box::new(move |folder, cut| {
            let told = notes.before(cut).next_back();
            let store = match (judge::open(folder), told) {
                // Before anything was told there need not be anything.
                (Err(_), None) => return Ok(0),
                (opened, _) => opened?,
            };
            judge::check_whole(&data(folder))?;
            let Some(told) = told else { return Ok(0) };
            let told = usize::try_from(told).expect("few steps");
            check(&shown, told, &store)
        }),
    })
}

/// What the store shows is what it showed before the step that was under way, or after it.
fn check(shown: &[Shown], told: usize, store: &dyn Store) -> Result<usize, String> {
    let moment = &shown[told];
    if moment.commits == Commits::Several {
        return Ok(0);
    }
    let seen = judge::snapshot(store)?;
    let Some(before) = moment.before.difference(&seen) else { return Ok(moment.before.rows()) };
    let after = match shown.get(told + 1) {
        Some(next) => next.before.difference(&seen),
        None => Some(before.clone()),
    };
    match after {
        None => Ok(moment.before.rows()),
        Some(after) => Err(format!(
            "during step {told}, {}: neither as before it ({before}) nor as after it ({after})",
            moment.step
        )),
    }
}
