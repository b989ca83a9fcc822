//! How many requests a receiver is sent at once, learned from how it answers.
//!
//! Additive increase, multiplicative decrease (D.-M. Chiu, R. Jain, 1989), with a slow start as TCP has it (RFC 5681): a
//! new receiver is sent more and more at once until it shows strain, and is treated with care from then on.

use crate::attempt::{Failure, Outcome};
use crate::limits::{LANE_IN_FLIGHT_MAX, LANE_IN_FLIGHT_START};

/// What is known of a receiver's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    limit: usize,
    /// From here on a whole round of successes raises the limit by one; below, each of them does.
    careful_from: usize,
    /// Successes since the limit was last changed.
    successes: usize,
    /// Counts decreases. An attempt that began before the last one says nothing about the limit since.
    generation: u32,
}

/// Under which circumstances an attempt began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Whether it was at least half of what the limit allowed. Waves seldom fill it to the last: those that are read together
    /// begin one after the other.
    pub filled: Filled,
    pub generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    Yes,
    No,
}

/// What an attempt says about its receiver's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// It answered well.
    Borne,
    /// It asked for less, or did not keep up.
    Strained,
    /// It failed for reasons of its own.
    Unknown,
}

impl Load {
    /// Strain is what servers, and gateways before them, answer when they have too much to do, and silence. How long an answer
    /// took says nothing by itself: some receivers always take long.
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Status(429 | 502 | 503 | 504) | Outcome::Failed(Failure::Timeout) => Self::Strained,
            _ if outcome.is_success() => Self::Borne,
            _ => Self::Unknown,
        }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self::from(LANE_IN_FLIGHT_START, LANE_IN_FLIGHT_MAX)
    }
}

impl Concurrency {
    const fn from(limit: usize, careful_from: usize) -> Self {
        Self { limit, careful_from, successes: 0, generation: 0 }
    }

    /// What was learned before, whoever learned it.
    pub fn remembered(limit: usize) -> Self {
        let limit = limit.clamp(1, LANE_IN_FLIGHT_MAX);
        Self::from(limit, limit)
    }

    /// Requests that may be in flight at once: from one to [`LANE_IN_FLIGHT_MAX`].
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// To be kept with an attempt that begins beside so many others.
    pub const fn begin(&self, others: usize) -> Begun {
        let filled = if 2 * (others + 1) >= self.limit { Filled::Yes } else { Filled::No };
        Begun { filled, generation: self.generation }
    }

    /// Learns from an attempt that has ended. A limit of which less than half was used is not raised: nobody knows whether it
    /// would hold.
    pub fn learn(&mut self, begun: Begun, load: Load) {
        if begun.generation != self.generation {
            return;
        }
        match load {
            Load::Strained => self.fall(),
            Load::Borne if begun.filled == Filled::Yes => self.rise(),
            Load::Borne | Load::Unknown => {}
        }
    }

    /// Begins at one with a receiver that is back, and rises as with a new one.
    pub const fn begin_anew(&mut self) {
        *self = Self { generation: self.generation.wrapping_add(1), ..Self::from(1, LANE_IN_FLIGHT_MAX) };
    }

    fn fall(&mut self) {
        let limit = (self.limit / 2).max(1);
        *self = Self { generation: self.generation.wrapping_add(1), ..Self::from(limit, limit) };
    }

    fn rise(&mut self) {
        self.successes += 1;
        if self.limit < LANE_IN_FLIGHT_MAX && (self.limit < self.careful_from || self.successes >= self.limit)
        {
            self.limit += 1;
            self.successes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ends an attempt that began with the limit met.
    fn end(concurrency: &mut Concurrency, load: Load) -> usize {
        let begun = concurrency.begin(concurrency.limit() - 1);
        concurrency.learn(begun, load);
        concurrency.limit()
    }

    #[test]
    fn a_new_receiver_is_tried_quickly_and_one_that_was_strained_with_care() {
        let mut concurrency = Concurrency::default();
        let start = concurrency.limit();
        assert_eq!((0..10).map(|_| end(&mut concurrency, Load::Borne)).last(), Some(start + 10));
        let half = (start + 10) / 2;
        assert_eq!(end(&mut concurrency, Load::Strained), half);
        assert_eq!((1..half).map(|_| end(&mut concurrency, Load::Borne)).last(), Some(half));
        assert_eq!(end(&mut concurrency, Load::Borne), half + 1, "a whole round has gone well");
    }

    #[test]
    fn one_wave_of_strain_halves_once() {
        let mut concurrency = Concurrency::default();
        let wave: Vec<Begun> = (0..concurrency.limit()).map(|others| concurrency.begin(others)).collect();
        let half = concurrency.limit() / 2;
        wave.iter().for_each(|begun| concurrency.learn(*begun, Load::Strained));
        assert_eq!(concurrency.limit(), half);
        wave.iter().for_each(|begun| concurrency.learn(*begun, Load::Borne));
        assert_eq!(concurrency.limit(), half, "what began before is of no use any more");
    }

    #[test]
    fn a_limit_that_was_not_met_is_not_raised() {
        let mut concurrency = Concurrency::default();
        let begun = concurrency.begin(0);
        for _ in 0..1_000 {
            concurrency.learn(begun, Load::Borne);
        }
        assert_eq!(concurrency, Concurrency::default());
    }

    #[test]
    fn what_was_learned_can_be_told_and_taken_up_again() {
        for (told, limit) in [(0, 1), (1, 1), (7, 7), (usize::MAX, LANE_IN_FLIGHT_MAX)] {
            assert_eq!(Concurrency::remembered(told).limit(), limit);
        }
        assert_eq!(end(&mut Concurrency::remembered(7), Load::Borne), 7, "with care");
    }

    #[test]
    fn a_receiver_that_is_back_is_tried_from_one_on() {
        let mut concurrency = Concurrency::default();
        let before = concurrency.begin(0);
        concurrency.begin_anew();
        concurrency.learn(before, Load::Strained);
        assert_eq!(concurrency.limit(), 1);
        assert_eq!((0..9).map(|_| end(&mut concurrency, Load::Borne)).last(), Some(10));
    }

    #[test]
    fn strain_is_told_from_other_failures() {
        for (status, load) in [
            (200, Load::Borne),
            (204, Load::Borne),
            (301, Load::Unknown),
            (404, Load::Unknown),
            (429, Load::Strained),
            (500, Load::Unknown),
            (502, Load::Strained),
            (503, Load::Strained),
            (504, Load::Strained),
        ] {
            assert_eq!(Load::of(Outcome::Status(status)), load, "{status}");
        }
        for failure in Failure::ALL {
            let expected = if failure == Failure::Timeout { Load::Strained } else { Load::Unknown };
            assert_eq!(Load::of(Outcome::Failed(failure)), expected, "{failure:?}");
        }
    }

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(loads in prop::collection::vec((0usize..3, any::<bool>()), 0..2_000)) {
            let mut concurrency = Concurrency::default();
            for (load, filled) in loads {
                let others = if filled { concurrency.limit() - 1 } else { 0 };
                let begun = concurrency.begin(others);
                concurrency.learn(begun, [Load::Borne, Load::Strained, Load::Unknown][load]);
                prop_assert!((1..=LANE_IN_FLIGHT_MAX).contains(&concurrency.limit()));
            }
        }
    }
}
