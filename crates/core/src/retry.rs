//! When to try again.

use std::time::Duration;

use crate::attempt::{Outcome, Verdict};
use crate::limits::RETRY_DELAY_MAX;
use crate::policy::RetrySchedule;
use crate::time::Timestamp;

/// Part of a delay that jitter may add at most: a tenth.
pub const JITTER_DIVISOR: u32 = 10;

/// What is known when an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    pub outcome: Outcome,
    /// Attempts made in this round, this one included.
    pub tries: u32,
    pub schedule: &'a RetrySchedule,
    pub retry_after: Option<Duration>,
    pub now: Timestamp,
}

/// Decides on an ended attempt.
///
/// A receiver that answers 429 or 503 may ask for more time than the schedule gives (RFC 9110 section 10.2.3),
/// up to [`RETRY_DELAY_MAX`]; it can never shorten a delay. `jitter` returns a number from 0 to its argument and
/// only ever lengthens a delay, by a tenth at most; a delay of zero stays zero.
pub fn decide(ended: Ended<'_>, jitter: &mut dyn FnMut(u64) -> u64) -> Verdict {
    if ended.outcome.is_success() {
        return Verdict::Delivered;
    }
    let Some(scheduled) = ended.schedule.delay_after(ended.tries) else { return Verdict::GiveUp };
    let delay_ms = millis(scheduled.max(asked_for(ended.outcome, ended.retry_after)));
    let spread_ms = delay_ms / u64::from(JITTER_DIVISOR);
    let added_ms = if spread_ms == 0 { 0 } else { jitter(spread_ms).min(spread_ms) };
    let total_ms = i64::try_from(delay_ms + added_ms).expect("bounded by RETRY_DELAY_MAX");
    Verdict::RetryAt(ended.now.plus_ms(total_ms))
}

/// For how long a receiver wants to be left alone: the word of one that answers 429 or 503, up to [`RETRY_DELAY_MAX`].
pub fn asked_for(outcome: Outcome, retry_after: Option<Duration>) -> Duration {
    match outcome {
        Outcome::Status(429 | 503) => retry_after.unwrap_or_default().min(RETRY_DELAY_MAX),
        _ => Duration::ZERO,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("bounded by RETRY_DELAY_MAX")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Failure;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn schedule() -> RetrySchedule {
        RetrySchedule::from_seconds(&[0, 5, 100]).expect("in bounds")
    }

    fn check(outcome: Outcome, tries: u32, retry_after_s: Option<u64>, expected: Verdict) {
        let schedule = schedule();
        let retry_after = retry_after_s.map(Duration::from_secs);
        let ended = Ended { outcome, tries, schedule: &schedule, retry_after, now: NOW };
        assert_eq!(
            decide(ended, &mut |_| 0),
            expected,
            "{outcome:?} after {tries} tries, asked {retry_after_s:?}"
        );
    }

    fn in_s(seconds: i64) -> Verdict {
        Verdict::RetryAt(NOW.plus_ms(seconds * 1_000))
    }

    /// Every outcome against every number of tries.
    #[test]
    fn every_outcome_at_every_try() {
        let failures = Failure::ALL.into_iter().map(Outcome::Failed);
        let answers = (100..=599).map(Outcome::Status);
        for outcome in answers.chain(failures) {
            for (tries, delay_s) in
                [(1, Some(0)), (2, Some(5)), (3, Some(100)), (4, None), (5, None), (u32::MAX, None)]
            {
                let expected = match delay_s {
                    _ if outcome.is_success() => Verdict::Delivered,
                    Some(delay_s) => in_s(delay_s),
                    None => Verdict::GiveUp,
                };
                check(outcome, tries, None, expected);
            }
        }
    }

    #[test]
    fn retry_after_lengthens_within_bounds_and_never_shortens() {
        for status in [429, 503] {
            check(Outcome::Status(status), 2, Some(30), in_s(30));
            check(Outcome::Status(status), 3, Some(30), in_s(100));
            check(Outcome::Status(status), 1, Some(7), in_s(7));
            check(Outcome::Status(status), 1, Some(u64::MAX), in_s(86_400));
            check(Outcome::Status(status), 4, Some(30), Verdict::GiveUp);
        }
        check(Outcome::Status(500), 2, Some(30), in_s(5));
        check(Outcome::Status(200), 2, Some(30), Verdict::Delivered);
    }

    #[test]
    fn a_delay_of_zero_is_not_jittered() {
        let schedule = schedule();
        let outcome = Outcome::Status(500);
        let ended = Ended { outcome, tries: 1, schedule: &schedule, retry_after: None, now: NOW };
        assert_eq!(decide(ended, &mut |_| panic!("no jitter on zero")), in_s(0));
    }

    proptest! {
        #[test]
        fn jitter_adds_at_most_a_tenth(delay_s in 1u64..=86_400, draw in any::<u64>(), wild in any::<bool>()) {
            let schedule = RetrySchedule::from_seconds(&[delay_s]).expect("in bounds");
            let outcome = Outcome::Status(500);
            let ended = Ended { outcome, tries: 1, schedule: &schedule, retry_after: None, now: NOW };
            let mut jitter = |bound: u64| if wild { draw } else { draw % (bound + 1) };
            let Verdict::RetryAt(at) = decide(ended, &mut jitter) else { panic!("a retry is left") };
            let delay_ms = i64::try_from(delay_s * 1_000).expect("small");
            prop_assert!((delay_ms..=delay_ms + delay_ms / 10).contains(&at.ms_since(NOW)));
        }
    }
}
