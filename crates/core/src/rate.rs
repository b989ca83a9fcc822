//! How fast one caller may call: a token bucket, refilled evenly.

use crate::limits::KEY_BURST_S;
use crate::time::Timestamp;

/// A limit: `per_s` calls a second on average, `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub per_s: u32,
    pub burst: u32,
}

impl RateLimit {
    /// `per_s` calls a second, and as many at once as [`KEY_BURST_S`] seconds of it.
    pub const fn of_key(per_s: u32) -> Self {
        Self { per_s, burst: per_s.saturating_mul(KEY_BURST_S) }
    }

    /// Time in which an empty bucket fills up, rounded up to a second.
    pub const fn window_s(self) -> u32 {
        let per_s = if self.per_s == 0 { 1 } else { self.per_s };
        self.burst.div_ceil(per_s)
    }
}

/// What is left of a limit for one caller. Counted in thousandths of a call, so that whole milliseconds refill
/// whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    thousandths: u64,
    refilled_at: Timestamp,
}

/// The answer to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub granted: Granted,
    /// Calls that may be made at once from here.
    pub remaining: u32,
    /// Until the bucket is full again, rounded up.
    pub full_in_s: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    Yes,
    /// Until one call is possible, rounded up to a second.
    No {
        retry_after_s: u32,
    },
}

impl Bucket {
    pub fn full(limit: RateLimit, now: Timestamp) -> Self {
        Self { thousandths: u64::from(limit.burst) * 1_000, refilled_at: now }
    }

    /// Takes one call out. A clock that goes back refills nothing.
    pub fn take(&mut self, limit: RateLimit, now: Timestamp) -> Allowance {
        self.take_many(1, limit, now)
    }

    /// Takes all of these calls out or none: how a rate below one a second is told.
    pub fn take_many(&mut self, calls: u32, limit: RateLimit, now: Timestamp) -> Allowance {
        let full = self.refill(limit, now);
        let wanted = u64::from(calls) * 1_000;
        let granted = if self.thousandths >= wanted {
            self.thousandths -= wanted;
            Granted::Yes
        } else {
            Granted::No { retry_after_s: seconds_for(wanted - self.thousandths, limit) }
        };
        let remaining = u32::try_from(self.thousandths / 1_000).unwrap_or(u32::MAX);
        Allowance { granted, remaining, full_in_s: seconds_for(full - self.thousandths, limit) }
    }

    /// Puts calls back that were taken out and shall not count.
    pub fn put_back(&mut self, calls: u32, limit: RateLimit, now: Timestamp) {
        let full = self.refill(limit, now);
        self.thousandths = self.thousandths.saturating_add(u64::from(calls) * 1_000).min(full);
    }

    /// What [`Self::take_many`] would answer, without taking anything.
    pub fn look(&self, calls: u32, limit: RateLimit, now: Timestamp) -> Granted {
        { *self }.take_many(calls, limit, now).granted
    }

    /// Whether it holds as much as it can: then it is as good as a new one.
    pub fn is_full(&self, limit: RateLimit, now: Timestamp) -> bool {
        let mut refilled = *self;
        refilled.refill(limit, now) == refilled.thousandths
    }

    /// Puts back what the time since the last call gives, and tells how much it can hold.
    fn refill(&mut self, limit: RateLimit, now: Timestamp) -> u64 {
        let full = u64::from(limit.burst) * 1_000;
        let passed_ms = now.as_ms().saturating_sub(self.refilled_at.as_ms());
        let passed_ms = u64::try_from(passed_ms).unwrap_or(0);
        let refilled = passed_ms.saturating_mul(u64::from(limit.per_s));
        self.thousandths = self.thousandths.saturating_add(refilled).min(full);
        self.refilled_at = now;
        full
    }
}

/// Time in which so many thousandths of a call are refilled.
fn seconds_for(thousandths: u64, limit: RateLimit) -> u32 {
    let a_second = u64::from(limit.per_s.max(1)) * 1_000;
    u32::try_from(thousandths.div_ceil(a_second)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { per_s: 2, burst: 3 };

    fn take(bucket: &mut Bucket, at_ms: i64) -> Allowance {
        bucket.take(LIMIT, Timestamp::from_ms(at_ms))
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let mut bucket = Bucket::full(LIMIT, Timestamp::from_ms(0));
        for remaining in [2, 1, 0] {
            let allowance = take(&mut bucket, 0);
            assert_eq!((allowance.granted, allowance.remaining), (Granted::Yes, remaining));
        }
        let refused = take(&mut bucket, 499);
        assert_eq!(refused.granted, Granted::No { retry_after_s: 1 });
        assert_eq!(refused.full_in_s, 2, "3 calls at 2 a second, nearly one of them back");
        assert_eq!(take(&mut bucket, 500).granted, Granted::Yes);
        assert_eq!(take(&mut bucket, 60_000).remaining, 2, "no more than the burst gathers");
    }

    #[test]
    fn looking_takes_nothing_and_a_full_bucket_is_known() {
        let at = |ms| Timestamp::from_ms(ms);
        let mut bucket = Bucket::full(LIMIT, at(0));
        assert!(bucket.is_full(LIMIT, at(0)));
        for _ in 0..3 {
            assert_eq!(bucket.look(1, LIMIT, at(0)), Granted::Yes);
            take(&mut bucket, 0);
        }
        assert_eq!(bucket.look(1, LIMIT, at(0)), Granted::No { retry_after_s: 1 });
        assert!(!bucket.is_full(LIMIT, at(1_499)));
        assert!(bucket.is_full(LIMIT, at(1_500)));
        let limit = RateLimit::of_key(5);
        assert_eq!((limit.burst, limit.window_s()), (10, 2));
    }

    #[test]
    fn several_calls_at_once_make_a_slow_rate_and_what_is_put_back_counts_not() {
        let (limit, at) = (RateLimit { per_s: 1, burst: 24 }, |s| Timestamp::from_ms(s * 1_000));
        let mut bucket = Bucket::full(limit, at(0));
        let mut granted = |s: i64| bucket.take_many(12, limit, at(s)).granted;
        assert_eq!([granted(0), granted(0)], [Granted::Yes; 2]);
        assert_eq!(granted(1), Granted::No { retry_after_s: 11 });
        assert_eq!([granted(12), granted(12)], [Granted::Yes, Granted::No { retry_after_s: 12 }]);
        bucket.put_back(12, limit, at(12));
        assert_eq!(bucket.look(12, limit, at(12)), Granted::Yes);
        bucket.put_back(1_000, limit, at(12));
        assert_eq!(bucket, Bucket::full(limit, at(12)), "no more than it holds");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::full(RateLimit { per_s: 1, burst: 1 }, Timestamp::from_ms(10_000));
        let limit = RateLimit { per_s: 1, burst: 1 };
        assert_eq!(bucket.take(limit, Timestamp::from_ms(10_000)).granted, Granted::Yes);
        assert!(matches!(bucket.take(limit, Timestamp::from_ms(0)).granted, Granted::No { .. }));
        assert_eq!(bucket.take(limit, Timestamp::from_ms(1_000)).granted, Granted::Yes);
    }
}
