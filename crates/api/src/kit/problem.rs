//! RFC 9457 problem details: the operator side's errors, and those outside every dialect.

use axum::response::Response;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use signalpost_core::error::{ErrorCode, FieldError};

use crate::kit::context::Context;
use crate::kit::refusal::Refusal;
use crate::kit::reply;

/// Where the documentation explains a problem's code, as a URI reference.
const DOCUMENTATION: &str = "/docs/errors#";

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<At<'a>>,
}

/// One broken rule; the pointer (RFC 6901) leads into the body, or names a query parameter.
#[derive(Serialize)]
struct At<'a> {
    pointer: String,
    detail: &'a str,
}

pub(crate) fn render(refusal: &Refusal, context: &Context) -> Response {
    let error = refusal.error();
    let status = status_of(refusal);
    let code = error.code.name();
    let problem = Problem {
        r#type: format!("{DOCUMENTATION}{code}"),
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &error.message,
        code,
        request_id: &context.request_id,
        errors: error.fields.iter().map(at).collect(),
    };
    let bytes = serde_json::to_vec(&problem).expect("texts and numbers always serialise");
    let mut response = reply::with_type(status, "application/problem+json", bytes);
    let headers = response.headers_mut();
    match error.code {
        ErrorCode::Unauthenticated => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        ErrorCode::Unavailable => headers.insert(RETRY_AFTER, HeaderValue::from_static("1")),
        ErrorCode::StorageFull => headers.insert(RETRY_AFTER, HeaderValue::from_static("30")),
        _ => None,
    };
    response
}

fn status_of(refusal: &Refusal) -> StatusCode {
    if let Refusal::WrongContentType(_) = refusal {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    match refusal.error().code {
        ErrorCode::Malformed => StatusCode::BAD_REQUEST,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn at(field: &FieldError) -> At<'_> {
    At { pointer: format!("/{}", field.field), detail: &field.message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::error::Error;

    #[test]
    fn every_code_has_its_status() {
        let statuses = ErrorCode::ALL.map(|code| status_of(&Error::new(code, "x").into()).as_u16());
        assert_eq!(statuses, [400, 422, 413, 408, 401, 403, 404, 405, 409, 422, 429, 503, 507, 500]);
        assert_eq!(status_of(&Refusal::WrongContentType(Error::new(ErrorCode::Malformed, "x"))), 415);
    }
}
