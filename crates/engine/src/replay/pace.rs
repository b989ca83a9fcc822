//! How much of a plan may have become due by now.

use std::num::NonZeroU32;
use std::time::Duration;

use signalpost_core::time::Monotonic;

/// What a job may catch up with when its loop was late, or its target had no room, beside the delivery that it was about to
/// send: of any ten seconds that is 4 %.
pub(super) const SAVED_MAX: Duration = Duration::from_millis(400);
/// A delivery, in the unit in which they are saved up.
const ONE: u64 = 1_000_000;

/// Saves up deliveries at a steady rate, by the clock that only goes forward. A new one has saved nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplayPace {
    per_second: NonZeroU32,
    /// Millionths of a delivery.
    saved: u64,
    at: Monotonic,
}

impl ReplayPace {
    pub(super) const fn new(per_second: NonZeroU32, now: Monotonic) -> Self {
        Self { per_second, saved: 0, at: now }
    }

    /// Deliveries that may become due now.
    pub(super) fn available(&mut self, now: Monotonic) -> usize {
        let per_second = u64::from(self.per_second.get());
        let most = per_second * saved_max_us() + ONE;
        let passed_us = now.as_us().saturating_sub(self.at.as_us());
        self.at = self.at.max(now);
        self.saved = self.saved.saturating_add(passed_us.saturating_mul(per_second)).min(most);
        usize::try_from(self.saved / ONE).unwrap_or(usize::MAX)
    }

    /// Counts deliveries that were taken, no more than were [available](Self::available).
    pub(super) fn spend(&mut self, taken: u64) {
        self.saved = self.saved.saturating_sub(taken.saturating_mul(ONE));
    }

    /// Until one is available; zero when one is.
    pub(super) fn wait(&self) -> Duration {
        let missing = ONE.saturating_sub(self.saved);
        Duration::from_micros(missing.div_ceil(u64::from(self.per_second.get())))
    }
}

fn saved_max_us() -> u64 {
    u64::try_from(SAVED_MAX.as_micros()).expect("less than a second")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_second: u32) -> NonZeroU32 {
        NonZeroU32::new(per_second).expect("not zero")
    }

    fn at_us(us: u64) -> Monotonic {
        Monotonic::from_us(us)
    }

    /// What is taken by a loop that looks so often and takes all it can.
    fn taken(per_second: u32, every_us: u64, for_us: u64) -> u64 {
        let mut pace = ReplayPace::new(rate(per_second), at_us(0));
        let looks = (1..=for_us / every_us).map(|look| look * every_us);
        let take = |us| {
            let count = u64::try_from(pace.available(at_us(us))).expect("few");
            pace.spend(count);
            count
        };
        looks.map(take).sum()
    }

    #[test]
    fn a_rate_is_kept_exactly_however_odd_the_looks_are() {
        for per_second in [1, 3, 7, 50, 999, 5_000] {
            for every_us in [1_001, 50_000, 77_777, 399_000] {
                let expected = u64::from(per_second) * 60;
                let got = taken(per_second, every_us, 60_000_000);
                let of_one_look = u64::from(per_second) * every_us / 1_000_000 + 1;
                assert!(got <= expected && got + of_one_look >= expected, "{per_second} {every_us} {got}");
            }
        }
    }

    #[test]
    fn whoever_was_away_for_long_catches_up_with_little() {
        let mut pace = ReplayPace::new(rate(1_000), at_us(5));
        assert_eq!(pace.available(at_us(5)), 0);
        assert_eq!(pace.wait(), Duration::from_millis(1));
        assert_eq!(pace.available(at_us(3_600_000_000)), 401);
        pace.spend(401);
        assert_eq!(pace.available(at_us(5)), 0, "an instant that is over earns nothing");
        assert_eq!(pace.available(at_us(3_600_001_500)), 1);
        assert_eq!(pace.wait(), Duration::ZERO);
        let mut slow = ReplayPace::new(rate(1), at_us(0));
        assert_eq!(slow.available(at_us(u64::MAX)), 1);
    }

    proptest! {
        /// Over any ten seconds, wherever they begin and however late the loop is.
        #[test]
        fn no_ten_seconds_see_more_than_the_rate_and_a_twentieth(
            per_second in 20..5_000u32,
            pauses_us in prop::collection::vec(1_000..3_000_000u64, 1..60),
        ) {
            let mut pace = ReplayPace::new(rate(per_second), at_us(0));
            let (mut now_us, mut takes) = (0, Vec::new());
            for pause_us in pauses_us {
                now_us += pause_us;
                let count = u64::try_from(pace.available(at_us(now_us))).expect("few");
                pace.spend(count);
                takes.push((now_us, count));
            }
            for (begin, _) in &takes {
                let within = takes.iter().filter(|(at, _)| (*begin..*begin + 10_000_000).contains(at));
                let sum: u64 = within.map(|(_, count)| count).sum();
                prop_assert!(sum <= u64::from(per_second) * 21 / 2, "{} of {}", sum, per_second);
            }
        }
    }
}
