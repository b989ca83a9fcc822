//! How fast each of many callers may call, remembered in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalpost_core::limits::RATE_CALLERS_MAX;
use signalpost_core::rate::{Allowance, Bucket, Granted, RateLimit};
use signalpost_core::time::Timestamp;

/// Buckets by caller. When there are too many, those that are full again go, which changes nothing for anybody; if
/// that makes no room, newcomers share one bucket.
pub struct Limiter<K>(Mutex<Buckets<K>>);

struct Buckets<K> {
    own: HashMap<K, (Bucket, RateLimit)>,
    shared: Option<Bucket>,
}

impl<K> Default for Limiter<K> {
    fn default() -> Self {
        Self(Mutex::new(Buckets { own: HashMap::new(), shared: None }))
    }
}

/// Calls that were taken out of a bucket, for whoever may put them back.
#[derive(Debug)]
pub struct Taken<K> {
    /// Whose bucket paid; `None` when it was the shared one.
    own: Option<K>,
    calls: u32,
    limit: RateLimit,
}

impl<K: Eq + Hash + Copy> Limiter<K> {
    /// Takes one call out of the caller's bucket.
    pub fn take(&self, caller: K, limit: RateLimit, now: Timestamp) -> Allowance {
        let (allowance, _) = self.pay(caller, 1, limit, now);
        allowance
    }

    /// Takes all of these calls out of the caller's bucket or none. The error is the time until there are as many, in
    /// seconds.
    pub fn take_many(
        &self,
        caller: K,
        calls: u32,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<Taken<K>, u32> {
        let (allowance, own) = self.pay(caller, calls, limit, now);
        match allowance.granted {
            Granted::Yes => Ok(Taken { own, calls, limit }),
            Granted::No { retry_after_s } => Err(retry_after_s),
        }
    }

    /// Puts calls back that shall not count, into the bucket that paid. One that has gone since was full, and needs none.
    pub fn put_back(&self, taken: Taken<K>, now: Timestamp) {
        let Taken { own, calls, limit } = taken;
        let mut buckets = self.lock();
        let bucket = match own {
            Some(caller) => buckets.own.get_mut(&caller).map(|(bucket, _)| bucket),
            None => buckets.shared.as_mut(),
        };
        if let Some(bucket) = bucket {
            bucket.put_back(calls, limit, now);
        }
    }

    /// What taking would answer, without taking anything.
    pub fn look(&self, caller: &K, calls: u32, limit: RateLimit, now: Timestamp) -> Granted {
        let buckets = self.lock();
        let own = buckets.own.get(caller).map(|(bucket, _)| bucket);
        let full = buckets.own.len() >= RATE_CALLERS_MAX;
        let bucket = own.or_else(|| buckets.shared.as_ref().filter(|_| full));
        bucket.map_or(Granted::Yes, |bucket| bucket.look(calls, limit, now))
    }

    /// The answer to one call or to several, and whose bucket paid.
    fn pay(&self, caller: K, calls: u32, limit: RateLimit, now: Timestamp) -> (Allowance, Option<K>) {
        let mut buckets = self.lock();
        if !buckets.own.contains_key(&caller) && !buckets.has_room(now) {
            let shared = buckets.shared.get_or_insert_with(|| Bucket::full(limit, now));
            return (shared.take_many(calls, limit, now), None);
        }
        let (bucket, known) = buckets.own.entry(caller).or_insert_with(|| (Bucket::full(limit, now), limit));
        *known = limit;
        (bucket.take_many(calls, limit, now), Some(caller))
    }

    fn lock(&self) -> MutexGuard<'_, Buckets<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.own.len() >= RATE_CALLERS_MAX {
            self.own.retain(|_, (bucket, limit)| !bucket.is_full(*limit, now));
        }
        self.own.len() < RATE_CALLERS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { per_s: 1, burst: 2 };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn granted(limiter: &Limiter<usize>, caller: usize, ms: i64) -> bool {
        let seen = limiter.look(&caller, 1, LIMIT, at(ms));
        let granted = limiter.take(caller, LIMIT, at(ms)).granted;
        assert_eq!(seen, granted, "looking says what taking does");
        granted == Granted::Yes
    }

    #[test]
    fn each_caller_has_a_bucket_of_its_own() {
        let limiter = Limiter::default();
        assert!(granted(&limiter, 1, 0) && granted(&limiter, 1, 0) && !granted(&limiter, 1, 0));
        assert!(granted(&limiter, 2, 0));
        assert!(granted(&limiter, 1, 1_000));
    }

    #[test]
    fn what_is_put_back_was_not_taken() {
        let limiter = Limiter::default();
        let take = || limiter.take_many(1, 2, LIMIT, at(0));
        let taken = take().expect("it is full");
        assert_eq!(take().expect_err("it is empty"), 2);
        limiter.put_back(taken, at(0));
        assert!(take().is_ok() && take().is_err());
    }

    #[test]
    fn what_is_put_back_goes_into_the_bucket_that_paid() {
        let limiter = Limiter::default();
        let first = limiter.take_many(0, 1, LIMIT, at(0)).expect("a bucket of its own");
        for caller in 1..=RATE_CALLERS_MAX {
            assert!(granted(&limiter, caller, 5_000), "the first is full again and makes room for the last");
        }
        let late = RATE_CALLERS_MAX + 1;
        let shared = limiter.take_many(late, 1, LIMIT, at(5_000)).expect("the shared bucket");
        assert!(granted(&limiter, late, 5_000) && !granted(&limiter, late, 5_000));
        limiter.put_back(first, at(5_000));
        assert!(!granted(&limiter, late, 5_000), "the bucket that paid has gone");
        limiter.put_back(shared, at(5_000));
        assert!(granted(&limiter, late, 5_000) && !granted(&limiter, late, 5_000));
    }

    #[test]
    fn memory_is_bounded_and_newcomers_share_what_is_left() {
        let limiter = Limiter::default();
        for caller in 0..RATE_CALLERS_MAX {
            assert!(granted(&limiter, caller, 0));
        }
        let late = [1, 2, 3].map(|n| RATE_CALLERS_MAX + n);
        assert!(granted(&limiter, late[0], 0) && granted(&limiter, late[1], 0));
        assert!(!granted(&limiter, late[2], 0), "the shared bucket is empty");
        assert!(granted(&limiter, 0, 0), "earlier callers keep theirs");
        assert_eq!(limiter.lock().own.len(), RATE_CALLERS_MAX);
        assert!(granted(&limiter, late[2], 5_000), "all of the others are full again and have gone");
        assert_eq!(limiter.lock().own.len(), 1);
    }
}
