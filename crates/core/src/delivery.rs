//! The state of a delivery, derived from its history and its webhook's cuts and never stored.

use crate::attempt::{Attempt, Verdict};
use crate::event::{Event, Sequence};
use crate::id::DeliveryId;
use crate::order::OrderPlace;
use crate::time::Timestamp;

/// One entry of a delivery's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Attempted(Attempt),
    /// Somebody asked to send it again. It takes a number and a fresh place in the workspace's sequence, so that
    /// cuts made before it do not touch it.
    Requeued {
        number: u32,
        at: Timestamp,
        born: Sequence,
    },
}

impl Step {
    pub const fn number(&self) -> u32 {
        match self {
            Self::Attempted(attempt) => attempt.number,
            Self::Requeued { number, .. } => *number,
        }
    }
}

/// The end of everything that was pending for a webhook at one moment: whatever was born up to `upto` and had
/// not ended is dropped. One row instead of an update of every delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub upto: Sequence,
    pub at: Timestamp,
    pub reason: CutReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReason {
    Disabled,
    Deleted,
    /// What was held for a paused webhook was not wanted any more when it was released.
    Skipped,
}

impl CutReason {
    pub const ALL: [Self; 3] = [Self::Disabled, Self::Deleted, Self::Skipped];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "webhook_disabled",
            Self::Deleted => "webhook_deleted",
            Self::Skipped => "skipped",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Pending { next_at: Timestamp },
    Delivered { at: Timestamp },
    Failed { at: Timestamp },
    Dropped { at: Timestamp, reason: CutReason },
}

impl DeliveryState {
    pub const fn status(self) -> DeliveryStatus {
        match self {
            Self::Pending { .. } => DeliveryStatus::Pending,
            Self::Delivered { .. } => DeliveryStatus::Delivered,
            Self::Failed { .. } => DeliveryStatus::Failed,
            Self::Dropped { .. } => DeliveryStatus::Dropped,
        }
    }

    /// Whether its receiver may miss it: it failed, or was dropped when its webhook was disabled.
    pub const fn is_lost(self) -> bool {
        matches!(
            self,
            Self::Failed { .. } | Self::Dropped { reason: CutReason::Disabled | CutReason::Skipped, .. }
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    Pending,
    Delivered,
    Failed,
    Dropped,
}

impl DeliveryStatus {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Dropped];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A delivery that is owed: it will be attempted at `due_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub id: DeliveryId,
    pub due_at: Timestamp,
    /// Sequence at which this round began: the event's, or the requeue's.
    pub born: Sequence,
    /// Steps of history so far; the next attempt gets this plus one.
    pub steps: u32,
    /// Attempts made in this round; the retry schedule counts these.
    pub tries: u32,
    /// Where it stands among those that must go one after the other. `None` for one that may go at any time: its webhook kept
    /// no order when it was accepted, its event has no key, or it was sent once more after it had ended.
    pub order: Option<OrderPlace>,
}

/// What has become of the round that an attempt was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundStanding {
    /// It is owed, as it was when the attempt started.
    Owed,
    /// A cut has ended it.
    Cut,
    /// It has gone on, or ended, without the attempt.
    Gone,
}

/// Where an attempt stands in its delivery's history whose number was taken by something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is recorded already.
    Recorded,
    /// Its round is still the last one: all that was decided on it holds.
    Current { number: u32 },
    /// Its round is not the last one any more: it is [`Verdict::Superseded`].
    Superseded { number: u32 },
}

impl Due {
    /// Whether it is owed as its event was accepted, in no order: nothing has become of it yet.
    pub fn is_as_accepted(&self, event: &Event) -> bool {
        let Self { due_at, born, steps, tries, order, .. } = *self;
        (due_at, born, steps, tries, order) == (event.accepted_at, event.sequence, 0, 0, None)
    }

    /// Attempts of its round that count, with one more of which so much was decided.
    pub const fn tries_after(&self, verdict: Verdict) -> u32 {
        match verdict {
            Verdict::HeldUntil(_) => self.tries,
            Verdict::Delivered | Verdict::RetryAt(_) | Verdict::GiveUp | Verdict::Superseded => {
                self.tries.saturating_add(1)
            }
        }
    }
}

/// Finds the place of an attempt whose own number is taken.
///
/// Sending a delivery once more takes the number that an attempt in flight was going to have. `steps` is the whole
/// history in order.
pub fn place_of(attempt: &Attempt, due: &Due, standing: RoundStanding, steps: &[Step]) -> Place {
    let newer = steps.iter().any(|step| matches!(step, Step::Requeued { born, .. } if *born > due.born));
    let superseded = newer || standing == RoundStanding::Gone;
    // One that is still to follow was not superseded before.
    let recorded = |step: &Step| match step {
        Step::Attempted(known) if known.verdict == Verdict::Superseded && !superseded => false,
        Step::Attempted(known) => known.is_same_request(attempt),
        Step::Requeued { .. } => false,
    };
    if steps.iter().filter(|step| step.number() >= attempt.number).any(recorded) {
        return Place::Recorded;
    }
    let number = steps.last().map_or(1, |step| step.number().saturating_add(1));
    if superseded { Place::Superseded { number } } else { Place::Current { number } }
}

/// Derives the state of a delivery.
///
/// `born` and `accepted_at` are the event's; `steps` is the whole history in order; `cuts` are all cuts of the
/// webhook in any order.
pub fn state_of(born: Sequence, accepted_at: Timestamp, steps: &[Step], cuts: &[Cut]) -> DeliveryState {
    let round = steps.iter().rev().find_map(|step| match step {
        Step::Requeued { born, .. } => Some(*born),
        Step::Attempted(_) => None,
    });
    let superseded =
        |step: &&Step| matches!(step, Step::Attempted(Attempt { verdict: Verdict::Superseded, .. }));
    let next_at = match steps.iter().rev().find(|step| !superseded(step)) {
        None => accepted_at,
        Some(Step::Requeued { at, .. }) => *at,
        Some(Step::Attempted(attempt)) => match attempt.verdict {
            Verdict::Delivered => return DeliveryState::Delivered { at: attempt.at },
            Verdict::GiveUp => return DeliveryState::Failed { at: attempt.at },
            Verdict::RetryAt(at) | Verdict::HeldUntil(at) => at,
            Verdict::Superseded => unreachable!("passed over above"),
        },
    };
    match earliest_cut(round.unwrap_or(born), cuts) {
        Some(cut) => DeliveryState::Dropped { at: cut.at, reason: cut.reason },
        None => DeliveryState::Pending { next_at },
    }
}

/// The round that a requeue has begun, as it is owed, while no attempt of it is recorded. To ask once more for what
/// was just asked for changes nothing. Its place in an order is not a matter of its history, and is left open.
pub fn unsent_round(id: DeliveryId, state: DeliveryState, steps: &[Step]) -> Option<Due> {
    match (state, steps.last()?) {
        (DeliveryState::Pending { next_at }, Step::Requeued { number, born, .. }) => {
            Some(Due { id, due_at: next_at, born: *born, steps: *number, tries: 0, order: None })
        }
        _ => None,
    }
}

/// The first cut that ended a round born at `born`.
fn earliest_cut(born: Sequence, cuts: &[Cut]) -> Option<&Cut> {
    cuts.iter().filter(|cut| cut.upto >= born).min_by_key(|cut| cut.upto)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::{Outcome, Timing};
    use crate::id::{EventId, WebhookId};
    use bytes::Bytes;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn attempt(number: u32, verdict: Verdict) -> Step {
        Step::Attempted(Attempt {
            number,
            at: at(100 + i64::from(number)),
            outcome: Outcome::Status(200),
            verdict,
            detail: String::new(),
            timing: Timing::default(),
            request_headers: Vec::new(),
            answer: Bytes::new(),
        })
    }

    fn requeue(number: u32, born: i64) -> Step {
        Step::Requeued { number, at: at(200 + i64::from(number)), born: Sequence(born) }
    }

    fn cut(upto: i64, reason: CutReason) -> Cut {
        Cut { upto: Sequence(upto), at: at(1_000 + upto), reason }
    }

    fn check(steps: &[Step], cuts: &[Cut], expected: DeliveryState) {
        assert_eq!(state_of(Sequence(5), at(50), steps, cuts), expected, "{steps:?} {cuts:?}");
    }

    #[test]
    fn without_cuts_the_last_step_decides() {
        check(&[], &[], DeliveryState::Pending { next_at: at(50) });
        check(&[attempt(1, Verdict::RetryAt(at(900)))], &[], DeliveryState::Pending { next_at: at(900) });
        check(&[attempt(1, Verdict::Delivered)], &[], DeliveryState::Delivered { at: at(101) });
        check(&[attempt(1, Verdict::GiveUp)], &[], DeliveryState::Failed { at: at(101) });
        let again = [attempt(1, Verdict::GiveUp), requeue(2, 9)];
        check(&again, &[], DeliveryState::Pending { next_at: at(202) });
        let done = [attempt(1, Verdict::GiveUp), requeue(2, 9), attempt(3, Verdict::Delivered)];
        check(&done, &[], DeliveryState::Delivered { at: at(103) });
    }

    #[test]
    fn a_cut_drops_what_was_pending_and_nothing_else() {
        let dropped = |upto: i64, reason| DeliveryState::Dropped { at: at(1_000 + upto), reason };
        check(&[], &[cut(4, CutReason::Disabled)], DeliveryState::Pending { next_at: at(50) });
        check(&[], &[cut(5, CutReason::Disabled)], dropped(5, CutReason::Disabled));
        let both = [cut(9, CutReason::Deleted), cut(6, CutReason::Disabled)];
        check(&[], &both, dropped(6, CutReason::Disabled));
        check(&[attempt(1, Verdict::RetryAt(at(900)))], &both, dropped(6, CutReason::Disabled));
        check(&[attempt(1, Verdict::Delivered)], &both, DeliveryState::Delivered { at: at(101) });
        check(&[attempt(1, Verdict::GiveUp)], &both, DeliveryState::Failed { at: at(101) });
    }

    #[test]
    fn what_was_superseded_is_looked_past() {
        let late = attempt(3, Verdict::Superseded);
        let again = [attempt(1, Verdict::GiveUp), requeue(2, 9), late.clone()];
        check(&again, &[], DeliveryState::Pending { next_at: at(202) });
        let done = [attempt(1, Verdict::GiveUp), requeue(2, 9), attempt(3, Verdict::Delivered), late.clone()];
        check(&done, &[], DeliveryState::Delivered { at: at(103) });
        let dropped = DeliveryState::Dropped { at: at(1_009), reason: CutReason::Disabled };
        check(&[requeue(1, 9), late], &[cut(9, CutReason::Disabled)], dropped);
    }

    #[test]
    fn an_attempt_whose_number_is_taken_finds_its_place() {
        use RoundStanding::{Cut, Gone, Owed};
        let Step::Attempted(ended) = attempt(1, Verdict::Delivered) else { panic!("an attempt") };
        let due = |born| Due {
            id: DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(1) },
            due_at: at(50),
            born: Sequence(born),
            steps: 0,
            tries: 0,
            order: None,
        };
        let other = |number| {
            let Step::Attempted(known) = attempt(number, Verdict::Superseded) else { panic!("an attempt") };
            Step::Attempted(Attempt { at: at(7), ..known })
        };
        let renumbered =
            Step::Attempted(Attempt { number: 2, verdict: Verdict::Superseded, ..ended.clone() });
        let retold = Attempt { verdict: Verdict::GiveUp, ..ended.clone() };
        let superseded = |number| Place::Superseded { number };
        let table: [(&[Step], i64, RoundStanding, Place); 8] = [
            (&[Step::Attempted(retold)], 5, Gone, Place::Recorded),
            (&[requeue(1, 9)], 5, Gone, superseded(2)),
            (&[requeue(1, 9)], 5, Cut, superseded(2)),
            (&[requeue(1, 9), renumbered.clone()], 5, Gone, Place::Recorded),
            // Two requests that look alike, the first of which was superseded.
            (&[requeue(1, 9), renumbered], 9, Owed, Place::Current { number: 3 }),
            (&[other(1)], 5, Owed, Place::Current { number: 2 }),
            (&[other(1)], 5, Cut, Place::Current { number: 2 }),
            (&[other(1)], 5, Gone, superseded(2)),
        ];
        for (steps, born, standing, expected) in table {
            assert_eq!(place_of(&ended, &due(born), standing, steps), expected, "{steps:?} {standing:?}");
        }
        let stolen = [requeue(1, 9), other(2)];
        let second = Attempt { number: 2, ..ended };
        assert_eq!(place_of(&second, &due(9), Owed, &stolen), Place::Current { number: 3 });
    }

    #[test]
    fn a_round_is_unsent_until_an_attempt_of_it_is_recorded() {
        let id = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(2) };
        let unsent = |steps: &[Step], cuts: &[Cut]| {
            unsent_round(id, state_of(Sequence(5), at(50), steps, cuts), steps)
        };
        let (failed, requeued) = (attempt(1, Verdict::GiveUp), requeue(2, 9));
        let due = Due { id, due_at: at(202), born: Sequence(9), steps: 2, tries: 0, order: None };
        assert_eq!(unsent(&[failed.clone(), requeued.clone()], &[]), Some(due));
        assert_eq!(unsent(&[], &[]), None, "nobody asked for its first round");
        assert_eq!(unsent(std::slice::from_ref(&failed), &[]), None);
        assert_eq!(unsent(&[failed.clone(), requeued.clone()], &[cut(9, CutReason::Disabled)]), None);
        assert_eq!(unsent(&[failed, requeued, attempt(3, Verdict::RetryAt(at(900)))], &[]), None);
    }

    #[test]
    fn a_requeue_is_touched_by_later_cuts_only() {
        let again = [attempt(1, Verdict::GiveUp), requeue(2, 8), attempt(3, Verdict::RetryAt(at(900)))];
        check(&again, &[cut(7, CutReason::Disabled)], DeliveryState::Pending { next_at: at(900) });
        let later = DeliveryState::Dropped { at: at(1_008), reason: CutReason::Deleted };
        check(&again, &[cut(7, CutReason::Disabled), cut(8, CutReason::Deleted)], later);
    }
}
