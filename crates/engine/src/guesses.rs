//! Failed authentications by keys: whoever makes many of them is not listened to for a while. Nobody can guess a key; what
//! counts is what guesses cost the store.

use std::net::IpAddr;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{FAILED_LOGINS_BURST, FAILED_LOGINS_PER_S};
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_core::time::Timestamp;

use crate::limiter::Limiter;

/// What was guessed wrongly, by where it came from.
#[derive(Default)]
pub struct Guesses(Limiter<Option<IpAddr>>);

/// Of one neighbourhood.
const LIMIT: RateLimit = RateLimit { per_s: FAILED_LOGINS_PER_S, burst: FAILED_LOGINS_BURST };

impl Guesses {
    /// What `judge` says; its `Unauthenticated` counts. `RateLimited` for a neighbourhood with many of them.
    ///
    /// A guesser is not listened to any more for a while, except that credentials which are in use still open:
    /// `is_known` says whether what is presented can be judged without the store. So one bad neighbour behind the same
    /// address locks nobody out.
    pub async fn judged<T>(
        &self,
        from: Option<IpAddr>,
        now: Timestamp,
        is_known: impl FnOnce() -> bool,
        judge: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        if let Granted::No { retry_after_s } = self.0.look(&from, 1, LIMIT, now)
            && !is_known()
        {
            let message = "too many requests with a wrong key came from this address";
            return Err(Error::too_fast(message, retry_after_s));
        }
        let judged = judge.await;
        if judged.as_ref().is_err_and(|error| error.code == ErrorCode::Unauthenticated) {
            self.0.take(from, LIMIT, now);
        }
        judged
    }
}
