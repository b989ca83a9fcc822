//! Failed authentications: whoever makes many of them is not listened to for a while.

use std::net::IpAddr;

use axum::response::{IntoResponse, Response};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{FAILED_LOGINS_BURST, FAILED_LOGINS_PER_S};
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_core::time::Timestamp;

use crate::kit::context::{Context, Render};
use crate::kit::limiter::Limiter;
use crate::kit::refusal::Refusal;

/// Failed authentications of one neighbourhood.
const FAILURES: RateLimit = RateLimit { per_s: FAILED_LOGINS_PER_S, burst: FAILED_LOGINS_BURST };

/// What was guessed wrongly, by where it came from.
#[derive(Default)]
pub(crate) struct Guesses(Limiter<Option<IpAddr>>);

/// A refusal with the time after which another try makes sense.
pub(crate) struct Turned {
    pub(crate) error: Error,
    pub(crate) retry_after_s: Option<u32>,
}

impl From<Error> for Turned {
    fn from(error: Error) -> Self {
        Self { error, retry_after_s: None }
    }
}

impl From<Turned> for Refusal {
    fn from(turned: Turned) -> Self {
        Self::until(turned.error, turned.retry_after_s)
    }
}

impl Turned {
    /// The surface's form of the refusal, with the time.
    pub(crate) fn answer(self, context: &Context, render: Render) -> Response {
        context.finish(Refusal::from(self).into_response(), render)
    }
}

impl Guesses {
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
    ) -> Result<T, Turned> {
        if let Granted::No { retry_after_s } = self.0.look(&from, FAILURES, now)
            && !is_known()
        {
            let message = "too many requests with a wrong key came from this address";
            let error = Error::new(ErrorCode::RateLimited, message);
            return Err(Turned { error, retry_after_s: Some(retry_after_s) });
        }
        let judged = judge.await;
        if judged.as_ref().is_err_and(|error| error.code == ErrorCode::Unauthenticated) {
            self.0.take(from, FAILURES, now);
        }
        Ok(judged?)
    }
}
