//! The state of a delivery, derived from its history and its webhook's cuts and never stored.

use crate::attempt::{Attempt, Verdict};
use crate::event::Sequence;
use crate::id::DeliveryId;
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
}

impl CutReason {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "webhook_disabled",
            Self::Deleted => "webhook_deleted",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Disabled, Self::Deleted].into_iter().find(|reason| reason.name() == name)
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
    let next_at = match steps.last() {
        None => accepted_at,
        Some(Step::Requeued { at, .. }) => *at,
        Some(Step::Attempted(attempt)) => match attempt.verdict {
            Verdict::Delivered => return DeliveryState::Delivered { at: attempt.at },
            Verdict::GiveUp => return DeliveryState::Failed { at: attempt.at },
            Verdict::RetryAt(at) => at,
        },
    };
    match earliest_cut(round.unwrap_or(born), cuts) {
        Some(cut) => DeliveryState::Dropped { at: cut.at, reason: cut.reason },
        None => DeliveryState::Pending { next_at },
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
    fn a_requeue_is_touched_by_later_cuts_only() {
        let again = [attempt(1, Verdict::GiveUp), requeue(2, 8), attempt(3, Verdict::RetryAt(at(900)))];
        check(&again, &[cut(7, CutReason::Disabled)], DeliveryState::Pending { next_at: at(900) });
        let later = DeliveryState::Dropped { at: at(1_008), reason: CutReason::Deleted };
        check(&again, &[cut(7, CutReason::Disabled), cut(8, CutReason::Deleted)], later);
    }
}
