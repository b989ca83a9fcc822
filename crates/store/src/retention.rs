//! Judging what may have to go: how the deliveries of an event stand, and when what has come by now will be old.

use crate::row::{Candidate, DELIVERED, GIVEN_UP, HELD_AT, REQUEUED, SUPERSEDED};

/// Where the last round of a delivery stands, as far as retention cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    pub verdict: i64,
    /// Where the round began; `None` when it began with the event.
    pub born: Option<i64>,
    /// When the next attempt of it is, or was, due.
    pub due_at: i64,
}

impl Round {
    /// The round as a further step of the history leaves it, whose own columns stand in `step`: a requeue begins one, and
    /// what was superseded belongs to none.
    pub fn after(earlier: Option<Self>, step: Self) -> Option<Self> {
        match step.verdict {
            SUPERSEDED => earlier,
            REQUEUED => Some(step),
            _ => Some(Self { born: earlier.and_then(|round| round.born), ..step }),
        }
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was delivered or given up: no row of `due` is its own but one that blocks its key.
    Ended,
    /// It is pending, unless a cut has ended what was born there. Then it may have a row still, see [`Candidate::rows_at`].
    Open { born: i64, due_at: i64 },
}

impl Candidate {
    /// How a delivery of the event stands whose last round this is; one that was never tried has none.
    pub fn standing(&self, round: Option<Round>) -> Standing {
        match round {
            Some(Round { verdict: DELIVERED | GIVEN_UP, .. }) => Standing::Ended,
            Some(Round { born, due_at, .. }) => {
                Standing::Open { born: born.unwrap_or(self.sequence.0), due_at }
            }
            None => Standing::Open { born: self.sequence.0, due_at: self.accepted_at },
        }
    }

    /// `due_at` of the rows that an open delivery may have: it may be held for the order of its key.
    pub fn rows_at(&self, due_at: i64) -> impl Iterator<Item = i64> + use<> {
        std::iter::once(due_at).chain(self.is_keyed.then_some(HELD_AT))
    }
}

/// The earlier of two times that may not come.
pub fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: i64 = 1;

    fn folded(steps: &[(i64, Option<i64>, i64)]) -> Option<Round> {
        let step = |(verdict, born, due_at): (i64, Option<i64>, i64)| Round { verdict, born, due_at };
        steps.iter().fold(None, |round, columns| Round::after(round, step(*columns)))
    }

    #[test]
    fn a_round_is_born_with_its_requeue_and_outlives_what_was_superseded() {
        let round = |verdict, born, due_at| Some(Round { verdict, born, due_at });
        assert_eq!(folded(&[]), None);
        assert_eq!(folded(&[(RETRY, None, 5)]), round(RETRY, None, 5));
        assert_eq!(folded(&[(SUPERSEDED, None, 5)]), None);
        let requeued = [(GIVEN_UP, None, 5), (REQUEUED, Some(9), 6)];
        assert_eq!(folded(&requeued), round(REQUEUED, Some(9), 6));
        let retried = [requeued.as_slice(), &[(SUPERSEDED, None, 7), (RETRY, None, 8)]].concat();
        assert_eq!(folded(&retried), round(RETRY, Some(9), 8));
        assert_eq!(
            folded(&[retried.as_slice(), &[(REQUEUED, Some(12), 9)]].concat()),
            round(REQUEUED, Some(12), 9)
        );
    }

    #[test]
    fn the_earlier_is_the_one_that_comes() {
        assert_eq!(earlier(None, None), None);
        assert_eq!(earlier(Some(3), None), Some(3));
        assert_eq!(earlier(Some(3), Some(2)), Some(2));
    }
}
