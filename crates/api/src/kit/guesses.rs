//! Failed authentications: whoever makes many of them is not listened to for a while.

use std::net::IpAddr;

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::RETRY_AFTER;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{FAILED_LOGINS_BURST, FAILED_LOGINS_PER_S};
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_core::time::Timestamp;

use crate::kit::context::Context;
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

impl Turned {
    /// The surface's form of the refusal, with the time.
    pub(crate) fn answer(self, context: &Context, render: fn(&Refusal, &Context) -> Response) -> Response {
        let mut response = context.finish(Refusal::from(self.error).into_response(), render);
        if let Some(seconds) = self.retry_after_s {
            // In the place of the code's usual one: a second value would leave callers to choose.
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
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
