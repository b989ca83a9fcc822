//! Logins by where they come from: whoever brings many wrong passwords is not listened to for a while, and nobody has many
//! judged at once, for each is a password to be hashed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{
    ADDRESS_LOGIN_FAILURE_S, ADDRESS_LOGIN_FAILURES_BURST, ADDRESS_LOGINS_AT_ONCE_MAX,
};
use signalpost_core::rate::RateLimit;
use signalpost_core::time::Timestamp;
use signalpost_engine::limiter::Limiter;

#[derive(Default)]
pub(crate) struct Logins {
    wrong: Limiter<Option<IpAddr>>,
    /// Those that are being judged. No more neighbourhoods than there are connections.
    judged: Mutex<HashMap<Option<IpAddr>, usize>>,
}

/// A login that is being judged, until it is dropped.
struct Place<'a> {
    logins: &'a Logins,
    from: Option<IpAddr>,
}

const WRONG: RateLimit =
    RateLimit { per_s: 1, burst: ADDRESS_LOGIN_FAILURE_S * ADDRESS_LOGIN_FAILURES_BURST };

impl Logins {
    /// What `judge` says; its `Unauthenticated` counts, whatever the username. `RateLimited` for a neighbourhood with many
    /// of them, and for one of which [`ADDRESS_LOGINS_AT_ONCE_MAX`] are being judged.
    ///
    /// Each counts before it is judged, so that many at once are no way around the limit. What turned out to be no wrong
    /// password does not count.
    pub(crate) async fn judged<T>(
        &self,
        from: Option<IpAddr>,
        now: impl Fn() -> Timestamp,
        judge: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let _place = self.place(from)?;
        let too_many =
            |retry_after_s| Error::too_fast("too many wrong passwords came from this address", retry_after_s);
        let guess = self.wrong.take_many(from, ADDRESS_LOGIN_FAILURE_S, WRONG, now()).map_err(too_many)?;
        let judged = judge.await;
        if !judged.as_ref().is_err_and(|error| error.code == ErrorCode::Unauthenticated) {
            self.wrong.put_back(guess, now());
        }
        judged
    }

    fn place(&self, from: Option<IpAddr>) -> Result<Place<'_>, Error> {
        let mut judged = self.lock();
        let count = judged.entry(from).or_default();
        if *count >= ADDRESS_LOGINS_AT_ONCE_MAX {
            return Err(Error::too_fast("too many logins at once came from this address", 1));
        }
        *count += 1;
        Ok(Place { logins: self, from })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut judged = self.logins.lock();
        if let Some(count) = judged.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                judged.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// How a caller is answered who comes with a right password or a wrong one.
    fn answer(logins: &Logins, at_s: i64, judged: Result<(), ErrorCode>) -> Result<(), Error> {
        let judge = async { judged.map_err(|code| Error::new(code, "")) };
        let at = || Timestamp::from_ms(at_s * 1_000);
        logins.judged(None, at, judge).now_or_never().expect("nothing waits")
    }

    #[test]
    fn wrong_passwords_are_slowed_down_and_right_ones_cost_nothing() {
        let logins = Logins::default();
        let code = |at_s, judged| answer(&logins, at_s, judged).err().map(|error| error.code);
        let wrong = Err(ErrorCode::Unauthenticated);
        for _ in 0..2 * ADDRESS_LOGIN_FAILURES_BURST {
            assert_eq!(code(0, Ok(())), None);
            assert_eq!(code(0, Err(ErrorCode::Unavailable)), Some(ErrorCode::Unavailable));
        }
        for _ in 0..ADDRESS_LOGIN_FAILURES_BURST {
            assert_eq!(code(0, wrong), Some(ErrorCode::Unauthenticated));
        }
        let refused = answer(&logins, 0, Ok(())).expect_err("too many");
        assert_eq!((refused.code, refused.retry_after_s), (ErrorCode::RateLimited, Some(2)));
        assert_eq!(code(1, Ok(())), Some(ErrorCode::RateLimited));
        assert_eq!(code(2, wrong), Some(ErrorCode::Unauthenticated));
        assert_eq!(code(2, Ok(())), Some(ErrorCode::RateLimited));
        assert!(logins.lock().is_empty(), "nothing is remembered of who was answered");
    }
}
