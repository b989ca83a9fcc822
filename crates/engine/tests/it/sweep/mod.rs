//! Fault sweeps: the same scenario again and again, each time with the next call of the store or of the transport failing,
//! until there is none left.
//!
//! There are two endings for a caller: what was asked for, or a clear error and nothing changed. Whoever repeats the call
//! gets what was asked for. And in the end, with all healed, the world is as if nothing had failed: everything that was
//! acknowledged has arrived, and nothing else.

mod desk;
mod faults;
mod figures;
mod keys;
mod life;
mod people;
mod portal;
mod replays;
mod stage;
mod unkeyed;

use std::collections::BTreeSet;
use std::sync::Arc;

use signalpost_core::error::ErrorCode;
use signalpost_core::profile::Profile;
use signalpost_store::testing::faulty::{Fault, Lasting, VERBS};

use faults::{Breakage, Faults, Trouble};
use stage::{Stage, Told};

/// A call that was cut off or refused is made again; more than this it need not be.
const CALLS_MAX: usize = 5;

/// What somebody does, step by step.
struct Scenario {
    profile: fn() -> Profile,
    steps: &'static [Step],
    /// What was asked for twice without a key: two rounds are one when the first has not begun, and a call that is made
    /// again begins one more. So this may arrive once more or once less; all else arrives as often as ever.
    loose: &'static [&'static str],
}

impl Scenario {
    /// Where requests fail nobody makes a call again.
    const fn loose_under(&self, trouble: Trouble) -> &'static [&'static str] {
        if matches!(trouble, Trouble::Transport(..)) { &[] } else { self.loose }
    }
}

struct Step {
    name: &'static str,
    run: fn(&mut Stage, Turn) -> Told,
    /// What says, when the call is made again, that it was done the first time.
    done_before: Option<ErrorCode>,
    caller: Caller,
    work: Work,
}

/// Whether a refusal may leave a part done, with which the same call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Whole,
    InParts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    First,
    /// The call before had no clear answer.
    Again,
}

/// Whether a caller may go away before the answer is there. What changes something and publishes nothing is always
/// brought to its end by those who serve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    MayLeave,
    Stays,
}

const fn step(name: &'static str, run: fn(&mut Stage, Turn) -> Told) -> Step {
    Step { name, run, done_before: None, caller: Caller::Stays, work: Work::Whole }
}

const fn published(name: &'static str, run: fn(&mut Stage, Turn) -> Told) -> Step {
    Step { caller: Caller::MayLeave, ..step(name, run) }
}

const fn in_parts(name: &'static str, run: fn(&mut Stage, Turn) -> Told) -> Step {
    Step { work: Work::InParts, ..step(name, run) }
}

/// A step that says this when it was done before.
const fn ended(name: &'static str, run: fn(&mut Stage, Turn) -> Told, done_before: ErrorCode) -> Step {
    Step { done_before: Some(done_before), ..step(name, run) }
}

const SCENARIOS: [Scenario; 9] = [
    life::DROPPING,
    life::HOLDING,
    desk::SCENARIO,
    figures::SCENARIO,
    keys::SCENARIO,
    people::SCENARIO,
    portal::SCENARIO,
    replays::SCENARIO,
    unkeyed::SCENARIO,
];

/// What came of one play.
struct Played {
    ending: Vec<String>,
    faults: Arc<Faults>,
}

impl Played {
    fn assert_ends_as(&self, expected: &[String], loose: &[&str]) {
        let without = |all: &[String], other: &[String]| {
            let mut left = other.to_vec();
            let mut only = all.to_vec();
            only.retain(|line| match left.iter().position(|known| known == line) {
                Some(place) => {
                    left.swap_remove(place);
                    false
                }
                None => true,
            });
            only
        };
        let (mut more, mut less) = (without(&self.ending, expected), without(expected, &self.ending));
        for only in [&mut more, &mut less] {
            for line in loose {
                if let Some(place) = only.iter().position(|known| known == line) {
                    only.swap_remove(place);
                }
            }
        }
        assert!(more.is_empty() && less.is_empty(), "{more:#?} in the place of {less:#?}: {:?}", self.faults);
    }
}

fn play(scenario: &Scenario, faults: Faults) -> Played {
    let faults = Arc::new(faults);
    let mut stage = Stage::new((scenario.profile)(), Arc::clone(&faults));
    for step in scenario.steps {
        play_step(&mut stage, step);
    }
    stage.drain();
    Played { ending: stage.ending(), faults }
}

fn play_step(stage: &mut Stage, step: &Step) {
    let mut turn = Turn::First;
    for _ in 0..CALLS_MAX {
        let (before, failed) = (stage.snapshot(), stage.faults.injected());
        stage.caller = step.caller;
        let told = (step.run)(stage, turn);
        let trouble = format!("step {:?}, {:?}, {turn:?}", step.name, stage.faults);
        match told {
            Told::Done => return,
            Told::CutOff => {}
            Told::Refused(error) if turn == Turn::Again && step.done_before == Some(error.code) => {
                assert!(stage.faults.may_take_effect(), "nothing was done before: {trouble}");
                return;
            }
            Told::Refused(error) => {
                assert_eq!(error.code, ErrorCode::Unavailable, "{trouble}: {error}");
                assert!(stage.faults.injected() > failed, "refused without a reason: {trouble}");
                if step.work == Work::Whole && !stage.faults.may_take_effect() {
                    let difference = before.difference(&stage.snapshot());
                    assert_eq!(difference, None, "refused, and something changed: {trouble}");
                }
                stage.faults.note_refusal();
            }
        }
        turn = Turn::Again;
    }
    panic!("step {:?} does not come to an end: {:?}", step.name, stage.faults);
}

/// Every number until none is left, for one kind of trouble: the verbs that it has struck.
fn sweep(scenario: &Scenario, trouble: Trouble) -> BTreeSet<&'static str> {
    let expected = play(scenario, Faults::none()).ending;
    assert!(!expected.is_empty());
    let mut struck = BTreeSet::new();
    for n in 1.. {
        let played = play(scenario, Faults::nth(n, trouble));
        if played.faults.injected() == 0 {
            assert!(n > 10, "a scenario of {n} calls shows nothing");
            return struck;
        }
        played.assert_ends_as(&expected, scenario.loose_under(trouble));
        struck.extend(played.faults.struck());
    }
    unreachable!("scenarios are finite")
}

fn sweep_all(trouble: Trouble) -> BTreeSet<&'static str> {
    SCENARIOS.iter().flat_map(|scenario| sweep(scenario, trouble)).collect()
}

/// A verb that no scenario calls is one of which nobody knows what its failure does: a new one needs its step.
#[test]
fn any_call_of_the_store_may_fail_once_before_it_took_effect() {
    let struck = sweep_all(Trouble::Store(Lasting::Transient, Fault::Before));
    let missed: Vec<&str> =
        VERBS.into_iter().flatten().copied().filter(|verb| !struck.contains(verb)).collect();
    assert!(missed.is_empty(), "no scenario calls {missed:?}");
}

#[test]
fn any_call_of_the_store_may_fail_once_after_it_took_effect() {
    sweep_all(Trouble::Store(Lasting::Transient, Fault::After));
}

#[test]
fn the_store_may_fail_from_any_call_on() {
    sweep_all(Trouble::Store(Lasting::Persistent, Fault::Before));
}

#[test]
fn the_store_may_lose_all_answers_from_any_call_on() {
    sweep_all(Trouble::Store(Lasting::Persistent, Fault::After));
}

#[test]
fn a_caller_may_go_away_during_any_call_of_the_store() {
    sweep_all(Trouble::Leaves);
}

#[test]
fn the_process_may_die_during_any_call_of_the_store() {
    sweep_all(Trouble::Dies);
}

#[test]
fn any_request_may_fail_once_or_all_from_it_on() {
    for scenario in [life::DROPPING, life::HOLDING] {
        for breakage in Breakage::ALL {
            for lasting in [Lasting::Transient, Lasting::Persistent] {
                sweep(&scenario, Trouble::Transport(lasting, breakage));
            }
        }
    }
}

/// A coarse grid: what fails twice fails in places that lie far apart.
#[test]
fn store_and_transport_may_fail_together() {
    let scenario = life::DROPPING;
    let expected = play(&scenario, Faults::none()).ending;
    for request in 1..=8 {
        for n in (1..).step_by(7) {
            let played = play(&scenario, Faults::both(n, request));
            if played.faults.struck().is_empty() {
                break;
            }
            played.assert_ends_as(&expected, scenario.loose);
        }
    }
}
