//! Power that is lost a second time, while a store comes back from the first loss: what was told before the first is there
//! after the second, what it has shown in between stays, and what it has handed out is not handed out again.

use std::path::Path;

use signalpost_core::id_form::Counter;
use signalpost_store::Catalog;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_testkit::{Rng, TempDir};

use super::course::{Course, Notes};
use super::judge::{self, Between, Loss};
use super::place::{Place, Syncing, data};
use super::{callers, verbs};
use crate::Platter;

/// Numbers that the store hands out when it is back.
const NUMBERS: u64 = 12;

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let mut rng = Rng::new(seed);
    let first =
        if rng.below(3) == 0 { callers::record(seed, syncing) } else { verbs::record(seed, syncing) }?;
    let first_cut = usize::try_from(rng.below(first.log.ops.len() as u64)).unwrap_or(0) + 1;
    let mut platter = Platter::of(&first.log.base);
    first.log.ops[..first_cut].iter().for_each(|op| platter.apply(op));
    let folder = TempDir::new().expect("the system has a temporary folder");
    platter.cut(rng.next_u64()).write_to(folder.path()).expect("a temporary folder can be written to");

    let place = Place::at(folder, syncing);
    let store = judge::open(place.folder()).map_err(|error| format!("after the first loss {error}"))?;
    let seen = judge::snapshot(&store)?;
    place.watch.note(0);
    for _ in 0..NUMBERS {
        let number = block_on(store.next_number(Counter::Webhook)).map_err(|error| error.to_string())?;
        place.watch.note(u64::try_from(number).expect("numbers begin at one"));
    }
    if rng.below(2) == 0 {
        judge::close(&store)?;
    }
    drop(store);
    let log = place.watch.log();
    let notes = Notes::of(&log);
    Ok(Course {
        log,
        judge: Box::new(move |folder, cut| {
            let since = match notes.before(cut).next_back() {
                None => 0,
                Some(handed_out) => look(folder, &seen, handed_out)?,
            };
            // As if the power had gone only once: whenever it went again, nothing that was told before is excused.
            let before = (first.judge)(folder, first_cut)?;
            Ok(before + since)
        }),
    })
}

/// What was seen between the two losses is there, and numbers go on.
fn look(folder: &Path, seen: &Snapshot, handed_out: u64) -> Result<usize, Loss> {
    let store = judge::open(folder)?;
    let now = judge::snapshot(&store)?;
    if let Some(what) = seen.difference(&now) {
        let what = format!("what was seen after the first loss is not there after the second: {what}");
        return Err(Between { before: seen, after: None }.loss(&now, what));
    }
    let number = block_on(store.next_number(Counter::Webhook))?;
    let handed_out = i64::try_from(handed_out).unwrap_or(i64::MAX);
    if number <= handed_out {
        return Err(Loss::Broken(format!("number {number} comes after {handed_out}")));
    }
    judge::check_whole(&data(folder))?;
    Ok(1)
}
