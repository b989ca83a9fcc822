//! Requests that come over a connection for which there is no place.
//!
//! Whoever accepts connections serves so many at once. It hears out a few more callers, so that they are told and need not guess
//! from silence; what says how the process is goes on for them, since a busy process must not be taken for a dead one.

use axum::extract::Request;
use axum::response::Response;
use signalpost_core::error::{Error, ErrorCode};

use crate::dialect::native;
use crate::kit::context::Context;
use crate::kit::problem;
use crate::kit::refusal::Refusal;

/// Put into a request's extensions by whoever accepted its connection and has no place for it. The connection is to be closed
/// after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// The answer to a request that is not let in. The log is told by whoever counts connections, and not for each of many.
pub(crate) fn refusal(request: &Request, context: &Context) -> Option<Response> {
    let is_open = native::HEALTH_PATHS.contains(&request.uri().path());
    request.extensions().get::<NoRoom>().filter(|_| !is_open)?;
    let message = "the server has all the connections that it may; nothing was stored, try again";
    let error = Error::new(ErrorCode::Unavailable, message);
    Some(problem::render(&Refusal::from(error), context))
}
