//! Power that is lost a second time, while a store comes back from the first loss: what it has shown in between stays, and
//! what it has handed out is not handed out again.

use signalpost_core::id_form::Counter;
use signalpost_store::Catalog;
use signalpost_store::testing::block_on::block_on;
use signalpost_testkit::{Rng, TempDir};

use super::course::{Course, Notes};
use super::place::{Place, Syncing, data};
use super::{judge, verbs};
use crate::Platter;

/// Numbers that the store hands out when it is back.
const NUMBERS: u64 = 12;

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let first = verbs::record(seed, syncing)?;
    let mut rng = Rng::new(seed);
    let cut = usize::try_from(rng.below(first.log.ops.len() as u64)).unwrap_or(0) + 1;
    let mut platter = Platter::of(&first.log.base);
    first.log.ops[..cut].iter().for_each(|op| platter.apply(op));
    let folder = TempDir::new().expect("the system has a temporary folder");
    platter.cut(rng.next_u64()).write_to(folder.path()).expect("a temporary folder can be written to");

    let place = Place::at(folder, syncing);
    let store = place.open_inline();
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
            let store = judge::open(folder)?;
            judge::check_whole(&data(folder))?;
            let told = notes.before(cut).next_back();
            if told.is_none() {
                return Ok(0);
            }
            let now = judge::snapshot(&store)?;
            if let Some(difference) = seen.difference(&now) {
                return Err(format!(
                    "what was seen after the first loss is not there after the second: {difference}"
                ));
            }
            let handed_out = told.and_then(|number| i64::try_from(number).ok()).unwrap_or(0);
            let number = block_on(store.next_number(Counter::Webhook)).map_err(|error| error.to_string())?;
            if number <= handed_out {
                return Err(format!("number {number} comes after {handed_out}"));
            }
            Ok(seen.rows() + 1)
        }),
    })
}
