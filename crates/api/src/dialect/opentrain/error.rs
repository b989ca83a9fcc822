//! Every refusal in the vendor's envelope. One total match.

use axum::response::Response;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use signalpost_core::error::ErrorCode;

use super::details::{self, Details};
use super::wire;
use crate::kit::context::Context;
use crate::kit::refusal::Refusal;
use crate::kit::reply;

pub(super) fn render(refusal: &Refusal, context: &Context) -> Response {
    let error = refusal.error();
    let (status, code) = shown(error.code);
    let details = match refusal.details::<Details>() {
        Some(details) => Some(details.to_json()),
        None => details::of_fields(&error.fields),
    };
    let envelope = wire::Error {
        error: &error.message,
        code,
        request_id: &context.request_id,
        details: details.as_ref(),
    };
    let bytes = serde_json::to_vec(&envelope).expect("texts and numbers always serialise");
    let mut response = reply::with_type(status, "application/json", bytes);
    let header = match status {
        StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Some((RETRY_AFTER, HeaderValue::from_static("1")))
        }
        _ => None,
    };
    response.headers_mut().extend(header);
    response
}

/// The vendor knows seven codes. Where it documents no status of ours, the status is the usual one and the code the one
/// that comes nearest.
pub(super) const fn shown(code: ErrorCode) -> (StatusCode, &'static str) {
    const BAD_REQUEST: &str = "BAD_REQUEST";
    const CONFLICT: &str = "CONFLICT";
    const INTERNAL_ERROR: &str = "INTERNAL_ERROR";
    match code {
        ErrorCode::Malformed | ErrorCode::UnsupportedMediaType | ErrorCode::Invalid => {
            (StatusCode::BAD_REQUEST, BAD_REQUEST)
        }
        ErrorCode::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, BAD_REQUEST),
        ErrorCode::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, BAD_REQUEST),
        ErrorCode::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
        ErrorCode::Forbidden => (StatusCode::FORBIDDEN, "FORBIDDEN"),
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        ErrorCode::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, BAD_REQUEST),
        ErrorCode::Conflict | ErrorCode::LimitReached | ErrorCode::KeyReused => {
            (StatusCode::CONFLICT, CONFLICT)
        }
        ErrorCode::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"),
        ErrorCode::Misdirected | ErrorCode::Unavailable | ErrorCode::StorageFull => {
            (StatusCode::SERVICE_UNAVAILABLE, INTERNAL_ERROR)
        }
        ErrorCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let statuses = ErrorCode::ALL.map(|code| shown(code).0.as_u16());
        assert_eq!(
            statuses,
            [400, 400, 400, 413, 408, 401, 403, 404, 405, 409, 409, 409, 429, 503, 503, 503, 500]
        );
    }
}
