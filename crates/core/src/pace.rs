//! The spacing of requests to one receiver, exact over any length of time.
//!
//! The generic cell rate algorithm (ITU-T I.371) as a virtual scheduler: each request moves the instant at which the next
//! is expected by one interval. Whoever comes late by no more than [`PACE_TOLERANCE`] is late for nothing, so timers that
//! wake late cost no rate; nothing else can be caught up.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::limits::{PACE_TOLERANCE, WEBHOOK_RATE_PER_S_MAX};
use crate::time::Monotonic;

const TOLERANCE_NS: u64 = PACE_TOLERANCE.as_nanos() as u64;

/// Requests a second: from one to [`WEBHOOK_RATE_PER_S_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(NonZeroU32);

/// When the next request is expected, in nanoseconds of the monotonic clock. A new one expects it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    expected_ns: u64,
}

impl Rate {
    /// The error says what may be given.
    pub fn per_second(requests: u32) -> Result<Self, String> {
        let wrong = || format!("must be from 1 to {WEBHOOK_RATE_PER_S_MAX}");
        let within = NonZeroU32::new(requests).filter(|requests| requests.get() <= WEBHOOK_RATE_PER_S_MAX);
        within.map(Self).ok_or_else(wrong)
    }

    pub const fn requests_per_second(self) -> u32 {
        self.0.get()
    }

    fn interval_ns(self) -> u64 {
        1_000_000_000 / u64::from(self.0.get())
    }
}

impl Pace {
    /// How long to wait for the next request; zero when it may go.
    pub fn wait(&self, now: Monotonic) -> Duration {
        Duration::from_nanos(self.expected_ns.saturating_sub(in_ns(now)))
    }

    /// Counts a request that goes now.
    pub fn pass(&mut self, rate: Rate, now: Monotonic) {
        self.expected_ns = self.expected_ns.max(in_ns(now).saturating_sub(TOLERANCE_NS)) + rate.interval_ns();
    }
}

const fn in_ns(at: Monotonic) -> u64 {
    at.as_us().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_s: u32) -> Rate {
        Rate::per_second(per_s).expect("within the bounds")
    }

    /// Requests that go in so many milliseconds when whoever sends them wakes as late as this says.
    fn sent(rate: Rate, for_ms: u64, late_us: impl Fn(u64) -> u64) -> u64 {
        let (mut pace, mut now_us, mut sent) = (Pace::default(), 1_000_000, 0);
        let end_us = now_us + for_ms * 1_000;
        loop {
            let wait = pace.wait(Monotonic::from_us(now_us));
            if !wait.is_zero() {
                now_us += u64::try_from(wait.as_nanos().div_ceil(1_000)).expect("short") + late_us(sent);
                continue;
            }
            if now_us >= end_us {
                return sent;
            }
            pace.pass(rate, Monotonic::from_us(now_us));
            sent += 1;
        }
    }

    #[test]
    fn a_minute_holds_exactly_sixty_seconds_of_it() {
        for per_s in [1, 5, 7, 100, 999, WEBHOOK_RATE_PER_S_MAX] {
            for late_us in [0, 900, 15_000] {
                let (sent, due) = (sent(rate(per_s), 60_000, |_| late_us), u64::from(per_s) * 60);
                let catching_up = u64::from(per_s) / 50 + 1;
                assert!(
                    (due - catching_up..=due + catching_up).contains(&sent),
                    "{per_s}/s, {late_us}: {sent}"
                );
            }
        }
    }

    #[test]
    fn a_rest_saves_nothing_up() {
        let (mut pace, five) = (Pace::default(), rate(5));
        pace.pass(five, Monotonic::from_us(1_000_000));
        let later = Monotonic::from_us(100_000_000);
        assert_eq!(pace.wait(later), Duration::ZERO);
        pace.pass(five, later);
        assert_eq!(
            pace.wait(later),
            Duration::from_millis(180),
            "an interval less what lateness is forgiven"
        );
    }

    #[test]
    fn rates_out_of_bounds_are_refused() {
        for (requests, fine) in
            [(0, false), (1, true), (WEBHOOK_RATE_PER_S_MAX, true), (WEBHOOK_RATE_PER_S_MAX + 1, false)]
        {
            assert_eq!(Rate::per_second(requests).is_ok(), fine, "{requests}");
        }
    }

    proptest! {
        /// In no stretch of time go more than the rate gives for it, one for its beginning, and what lateness is forgiven.
        #[test]
        fn no_stretch_of_time_holds_too_many(
            per_s in 1u32..=1_000,
            steps_us in prop::collection::vec(0u64..50_000, 1..300),
        ) {
            let (mut pace, mut now_us, mut passed) = (Pace::default(), 5_000_000u64, Vec::new());
            for step_us in steps_us {
                now_us += step_us;
                if pace.wait(Monotonic::from_us(now_us)).is_zero() {
                    pace.pass(rate(per_s), Monotonic::from_us(now_us));
                    passed.push(now_us);
                }
            }
            for (first, from_us) in passed.iter().enumerate() {
                for (last, to_us) in passed.iter().enumerate().skip(first) {
                    let allowed = (to_us - from_us + TOLERANCE_NS / 1_000) * u64::from(per_s) / 1_000_000 + 2;
                    prop_assert!((last - first + 1) as u64 <= allowed, "{} in {} us", last - first + 1, to_us - from_us);
                }
            }
        }
    }
}
