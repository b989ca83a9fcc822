//! Several callers at once on the store with its threads: what waits together is committed together. The store is closed,
//! or dropped, and opened anew meanwhile.

use std::path::Path;

use signalpost_core::id::EventId;
use signalpost_core::id_form::Counter;
use signalpost_store::ledger::AcceptEvent;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Catalog, Done, Ledger, Once};
use signalpost_store_sqlite::SqliteStore;

use super::caller::{Caller, State, asked, in_words, told};
use super::course::{Course, Notes};
use super::judge::{self, Between, Loss};
use super::place::{Place, Syncing, data};

const CALLERS: u32 = 3;
const ROUNDS: usize = 3;
const STEPS_A_ROUND: usize = 14;

pub(super) fn record(seed: u64, syncing: Syncing) -> Result<Course, String> {
    let place = Place::new(syncing);
    let mut callers: Vec<Caller> = (0..CALLERS).map(|number| Caller::new(number, seed)).collect();
    for round in 0..ROUNDS {
        let store = place.open_threaded();
        work(&mut callers, &store, &place)?;
        if round % 2 == 0 {
            judge::close(&store)?;
        }
        drop(store);
        place.rest();
    }
    let log = place.watch.log();
    let notes = Notes::of(&log);
    Ok(Course { log, judge: Box::new(move |folder, cut| look(&callers, &notes, folder, cut)) })
}

fn work(callers: &mut [Caller], store: &SqliteStore, place: &Place) -> Result<(), String> {
    std::thread::scope(|scope| {
        let begin = |caller| scope.spawn(move || Caller::work(caller, store, &place.watch, STEPS_A_ROUND));
        let working: Vec<_> = callers.iter_mut().map(begin).collect();
        let ended = working.into_iter().map(|one| one.join().map_err(|_| "a caller panicked".to_owned())?);
        ended.collect()
    })
}

fn look(callers: &[Caller], notes: &Notes, folder: &Path, cut: usize) -> Result<usize, Loss> {
    let store = judge::open(folder)?;
    judge::check_whole(&data(folder))?;
    let (mut acknowledged, mut number) = (0, 0);
    for (caller, own) in (0u32..).zip(callers) {
        let steps = |kind: fn(u32, usize) -> u64| {
            let own = notes.before(cut).filter(|note| (note >> 32) == u64::from(caller));
            own.filter(|note| note & 1 == kind(0, 0)).count()
        };
        let (done, begun) = (steps(told), steps(asked));
        let state = &own.states[done];
        let after = own.states.get(done + 1).filter(|_| begun > done);
        acknowledged += check_caller(&store, own, state, after)
            .map_err(|loss| loss.of(&format!("caller {caller}, told of {done} steps of {begun}")))?;
        number = number.max(state.number);
    }
    let next = block_on(store.next_number(Counter::Webhook))?;
    if next <= number {
        return Err(Loss::Broken(format!("number {next} comes after {number}")));
    }
    Ok(acknowledged)
}

/// What a caller finds is what there was before the step that was under way, or after it.
fn check_caller(
    store: &SqliteStore,
    caller: &Caller,
    state: &State,
    after: Option<&State>,
) -> Result<usize, Loss> {
    let seen = block_on(Snapshot::of_workspace(store, caller.workspace()))?;
    if let Some(difference) = state.shown.difference(&seen) {
        let afterwards = after.map(|after| after.shown.difference(&seen));
        if afterwards != Some(None) {
            let what = format!("not as before the step ({difference}), nor as after it ({afterwards:?})");
            let between = Between { before: &state.shown, after: after.map(|after| &after.shown) };
            return Err(between.loss(&seen, what));
        }
    }
    if let Some((once, event)) = &state.once {
        check_once(store, *once, event)?;
    }
    check_sequence(store, caller, state)?;
    Ok(state.shown.rows())
}

/// A call that happened once is answered as it was then.
fn check_once(store: &SqliteStore, once: Once, event: &AcceptEvent) -> Result<(), String> {
    let again = AcceptEvent { id: EventId::from_raw(event.id.raw() + 5), ..event.clone() };
    match block_on(store.accept_once(vec![again], once)) {
        Ok(Done::Before(answers)) if answers.first().is_some_and(|first| first.id == event.id) => Ok(()),
        other => Err(format!("a call that was made before is answered {other:?}")),
    }
}

/// The next event comes after all that were told of.
fn check_sequence(store: &SqliteStore, caller: &Caller, state: &State) -> Result<(), String> {
    let Some(fan_out) = block_on(store.fan_out(caller.workspace())).map_err(in_words)? else { return Ok(()) };
    let fresh = sample::event(caller.workspace(), store.highest_id() + 1, fan_out.version, &[]);
    let accepted = block_on(store.accept(vec![fresh])).map_err(in_words)?;
    if accepted[0].sequence.0 <= state.sequence {
        return Err(format!("place {} comes after {}", accepted[0].sequence.0, state.sequence));
    }
    Ok(())
}
