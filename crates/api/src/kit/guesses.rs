//! Failed authentications: whoever makes many of them is not listened to for a while.

use std::net::IpAddr;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{
    ADDRESS_LOGIN_FAILURE_S, ADDRESS_LOGIN_FAILURES_BURST, FAILED_LOGINS_BURST, FAILED_LOGINS_PER_S,
};
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_core::time::Timestamp;
use signalpost_engine::limiter::Limiter;

/// What was guessed wrongly, by where it came from.
pub(crate) struct Guesses {
    limiter: Limiter<Option<IpAddr>>,
    /// Of one neighbourhood.
    limit: RateLimit,
    /// What one wrong guess takes out of it.
    cost: u32,
    refusal: &'static str,
}

/// Of keys, which nobody can guess: what counts is what guesses cost the store.
impl Default for Guesses {
    fn default() -> Self {
        Self {
            limiter: Limiter::default(),
            limit: RateLimit { per_s: FAILED_LOGINS_PER_S, burst: FAILED_LOGINS_BURST },
            cost: 1,
            refusal: "too many requests with a wrong key came from this address",
        }
    }
}

impl Guesses {
    /// Of passwords, whatever the username.
    pub(crate) fn of_passwords() -> Self {
        let cost = ADDRESS_LOGIN_FAILURE_S;
        Self {
            limiter: Limiter::default(),
            limit: RateLimit { per_s: 1, burst: cost * ADDRESS_LOGIN_FAILURES_BURST },
            cost,
            refusal: "too many wrong passwords came from this address",
        }
    }

    /// What `judge` says; its `Unauthenticated` counts. `RateLimited` for a neighbourhood with many of them.
    ///
    /// A guesser is not listened to any more for a while, except that credentials which are in use still open:
    /// `is_known` says whether what is presented can be judged without the store. So one bad neighbour behind the same
    /// address locks nobody out.
    pub(crate) async fn judged<T>(
        &self,
        from: Option<IpAddr>,
        now: Timestamp,
        is_known: impl FnOnce() -> bool,
        judge: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if let Granted::No { retry_after_s } = self.limiter.look(&from, self.cost, self.limit, now)
            && !is_known()
        {
            return Err(Error::too_fast(self.refusal, retry_after_s));
        }
        let judged = judge.await;
        if judged.as_ref().is_err_and(|error| error.code == ErrorCode::Unauthenticated) {
            self.limiter.take_many(from, self.cost, self.limit, now);
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// How a caller is answered who comes with a right password or a wrong one.
    fn answer(guesses: &Guesses, at_s: i64, judged: Result<(), ErrorCode>) -> Result<(), Error> {
        let judge = async { judged.map_err(|code| Error::new(code, "")) };
        let at = Timestamp::from_ms(at_s * 1_000);
        guesses.judged(None, at, || false, judge).now_or_never().expect("nothing waits")
    }

    #[test]
    fn wrong_passwords_are_slowed_down_and_right_ones_cost_nothing() {
        let guesses = Guesses::of_passwords();
        let code = |at_s, judged| answer(&guesses, at_s, judged).err().map(|error| error.code);
        let wrong = Err(ErrorCode::Unauthenticated);
        for _ in 0..2 * ADDRESS_LOGIN_FAILURES_BURST {
            assert_eq!(code(0, Ok(())), None);
            assert_eq!(code(0, Err(ErrorCode::Unavailable)), Some(ErrorCode::Unavailable));
        }
        for _ in 0..ADDRESS_LOGIN_FAILURES_BURST {
            assert_eq!(code(0, wrong), Some(ErrorCode::Unauthenticated));
        }
        let refused = answer(&guesses, 0, Ok(())).expect_err("too many");
        assert_eq!((refused.code, refused.retry_after_s), (ErrorCode::RateLimited, Some(2)));
        assert_eq!(code(1, Ok(())), Some(ErrorCode::RateLimited));
        assert_eq!(code(2, wrong), Some(ErrorCode::Unauthenticated));
        assert_eq!(code(2, Ok(())), Some(ErrorCode::RateLimited));
        let known = guesses.judged(None, Timestamp::from_ms(2_000), || true, async { Ok(()) });
        assert!(known.now_or_never().expect("nothing waits").is_ok(), "what is in use still opens");
    }
}
