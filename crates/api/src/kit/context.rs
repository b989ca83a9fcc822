//! What a surface knows of every request, and the last step of every answer: render, log, echo the id.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use http::header::{Entry, RETRY_AFTER};
use http::{HeaderValue, Method};
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::time::Timestamp;

use crate::kit::refusal::Refusal;
use crate::kit::request_id::{self, RequestIds};

/// How a surface writes a refusal.
pub(crate) type Render = fn(&Refusal, &Context) -> Response;

#[derive(Clone, Debug)]
pub(crate) struct Context {
    method: Method,
    /// Unknown when nobody who accepts connections said it.
    caller: Option<IpAddr>,
    pub(crate) request_id: String,
    /// The path as the client sent it, without its query.
    pub(crate) path: String,
    pub(crate) at: Timestamp,
}

impl Context {
    pub(crate) fn of(request: &Request, ids: &RequestIds, at: Timestamp) -> Self {
        let original = request.extensions().get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        let path = original.unwrap_or_else(|| request.uri()).path().to_owned();
        let caller = request.extensions().get::<CallerAddress>().map(|CallerAddress(address)| *address);
        Self { method: request.method().clone(), caller, request_id: ids.of(request.headers(), at), path, at }
    }

    /// The answer to a request that no handler gets to see.
    pub(crate) fn refuse(&self, error: Error, render: Render) -> Response {
        self.finish(Refusal::from(error).into_response(), render)
    }

    /// Puts the surface's own error in the place of a carried refusal and gives the answer its request id.
    pub(crate) fn finish(&self, mut response: Response, render: Render) -> Response {
        if let Some(refusal) = Refusal::take(&mut response) {
            self.log(&refusal);
            response = render(&refusal, self);
            if let Some(seconds) = refusal.error().retry_after_s {
                // In the place of the code's usual one: a second value would leave callers to choose.
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        let id = HeaderValue::from_str(&self.request_id).expect("request ids are ASCII words");
        // A surface inside this one has named the request already, in its body and in the log.
        if let Entry::Vacant(vacant) = response.headers_mut().entry(request_id::HEADER) {
            vacant.insert(id);
            self.log_answer(&response);
        }
        response
    }

    fn log_answer(&self, response: &Response) {
        let Self { request_id, method, path, caller, .. } = self;
        let status = response.status().as_u16();
        tracing::debug!(request_id, %method, path, status, caller = caller.map(tracing::field::display), "answered");
    }

    /// What is our fault is logged once, here, with its cause; the caller's mistakes are not.
    fn log(&self, refusal: &Arc<Refusal>) {
        let (error, request_id, path) = (refusal.error(), &self.request_id, &self.path);
        let cause = error.cause.as_deref().map(|cause| cause as &dyn std::error::Error);
        match error.code {
            ErrorCode::Internal => tracing::error!(request_id, path, cause, "request failed: {error}"),
            ErrorCode::Unavailable => tracing::warn!(request_id, path, cause, "request not taken: {error}"),
            _ => tracing::debug!(request_id, path, "request refused: {error}"),
        }
    }
}
