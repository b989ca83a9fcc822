//! What a random sequence does about replays.

use proptest::prelude::*;
use proptest::sample::select;
use signalpost_core::replay::{CancelReason, Command, Start, Which};

use super::operation::{Caller, Choice, caller, choice};

#[derive(Clone, Copy, Debug)]
pub enum ReplayOperation {
    /// From one webhook to another of its workspace, or to itself.
    Create {
        source: Choice,
        target: Option<Choice>,
        which: Which,
        start: Start,
    },
    /// The newest deliveries, so many of them behind the first, go into the plan of a replay: of its workspace when that is the
    /// whole plan, else of all.
    Plan {
        replay: Choice,
        skipped: usize,
        found: usize,
        rest: Rest,
        told: Told,
    },
    Step {
        replay: Choice,
        take: usize,
        due_max: usize,
        told: Told,
    },
    Ask {
        replay: Choice,
        caller: Caller,
        command: Command,
    },
    End {
        replay: Choice,
        reason: CancelReason,
    },
}

/// Whether a look at the past is the last one.
#[derive(Clone, Copy, Debug)]
pub enum Rest {
    ToLookAt,
    None,
}

/// Where the caller thinks that a replay stands.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    Where,
    Nothing,
}

pub(super) fn replay_operation() -> impl Strategy<Value = ReplayOperation> {
    use ReplayOperation as Op;
    let rest = prop_oneof![1 => Just(Rest::ToLookAt), 3 => Just(Rest::None)];
    prop_oneof![
        4 => (choice(), option(choice()), which(), start())
            .prop_map(|(source, target, which, start)| Op::Create { source, target, which, start }),
        8 => (newest(), skipped(), 0..9usize, rest, told())
            .prop_map(|(replay, skipped, found, rest, told)| Op::Plan { replay, skipped, found, rest, told }),
        9 => (newest(), 1..6usize, due_max(), told())
            .prop_map(|(replay, take, due_max, told)| Op::Step { replay, take, due_max, told }),
        3 => (choice(), caller(), command())
            .prop_map(|(replay, caller, command)| Op::Ask { replay, caller, command }),
        1 => (choice(), select(&CancelReason::ALL)).prop_map(|(replay, reason)| Op::End { replay, reason }),
    ]
}

fn option<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.4, of)
}

fn skipped() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 1 => 1..3usize]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![1 => Just(Which::Failed), 1 => Just(Which::NeverAttempted), 3 => Just(Which::All)]
}

fn due_max() -> impl Strategy<Value = usize> {
    prop_oneof![1 => 0..4usize, 3 => Just(50)]
}

fn start() -> impl Strategy<Value = Start> {
    prop_oneof![3 => Just(Start::WhenPlanned), 1 => Just(Start::WhenTold)]
}

/// A replay that was made a while ago is seldom one that runs.
fn newest() -> impl Strategy<Value = Choice> {
    prop_oneof![6 => Just(0), 2 => Just(1), 1 => choice()]
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![9 => Just(Told::Where), 1 => Just(Told::Nothing)]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => Just(Command::Start),
        2 => Just(Command::Pause),
        2 => Just(Command::Resume),
        1 => Just(Command::Cancel)
    ]
}
