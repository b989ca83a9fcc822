//! Every refusal in the vendor's envelope. One total match.

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use signalpost_core::error::{Error, ErrorCode, FieldError};

use super::wire;
use crate::kit::context::Context;
use crate::kit::refusal::Refusal;
use crate::kit::reply;

/// A wrong content type is a bad request here: no 415 is documented.
pub(super) fn render(refusal: &Refusal, context: &Context) -> Response {
    let error = refusal.error();
    let (status, message) = shown(error);
    let envelope = wire::Error {
        timestamp: context.at.to_rfc3339_ms(),
        status: status.as_u16(),
        error: status.canonical_reason().unwrap_or_default(),
        message,
        path: &context.path,
        validation_errors: validation_errors(&error.fields),
    };
    let bytes = serde_json::to_vec(&envelope).expect("texts and numbers always serialise");
    let mut response = reply::with_type(status, "application/json", bytes);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

pub(super) fn status(code: ErrorCode) -> StatusCode {
    shown(&Error::new(code, "")).0
}

/// The documented sentences where there are any, ours elsewhere.
pub(super) fn shown(error: &Error) -> (StatusCode, &str) {
    let own = error.message.as_str();
    match error.code {
        ErrorCode::Malformed | ErrorCode::UnsupportedMediaType => (StatusCode::BAD_REQUEST, own),
        ErrorCode::Invalid if error.fields.is_empty() => (StatusCode::BAD_REQUEST, own),
        ErrorCode::Invalid => (StatusCode::BAD_REQUEST, "Invalid request parameters"),
        ErrorCode::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, own),
        ErrorCode::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, own),
        ErrorCode::Unauthenticated => (StatusCode::UNAUTHORIZED, own),
        ErrorCode::Forbidden => (StatusCode::FORBIDDEN, "Access denied for this resource"),
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, "The requested resource was not found"),
        ErrorCode::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, own),
        ErrorCode::Conflict | ErrorCode::LimitReached => (StatusCode::CONFLICT, own),
        ErrorCode::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, own),
        ErrorCode::RateLimited => (StatusCode::TOO_MANY_REQUESTS, own),
        ErrorCode::Misdirected | ErrorCode::Unavailable | ErrorCode::StorageFull => {
            (StatusCode::SERVICE_UNAVAILABLE, own)
        }
        ErrorCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Unexpected server error"),
    }
}

/// One message for each field, the first if there are several; an element's place belongs to its list.
fn validation_errors(fields: &[FieldError]) -> Option<wire::ValidationErrors> {
    let mut errors: Vec<(String, String)> = Vec::new();
    for FieldError { field, message } in fields {
        let (name, place) = field.split_once('/').unwrap_or((field, ""));
        let name = if name == "subject" { wire::AGENT_ID } else { name };
        let name = &name.replace("~1", "/").replace("~0", "~");
        if errors.iter().any(|(known, _)| known == name) {
            continue;
        }
        let of_element = if place.is_empty() { String::new() } else { format!("[{place}]") };
        errors.push((name.to_owned(), format!("{name}{of_element} {message}")));
    }
    (!errors.is_empty()).then_some(wire::ValidationErrors(errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let statuses = ErrorCode::ALL.map(|code| shown(&Error::new(code, "x")).0.as_u16());
        assert_eq!(
            statuses,
            [400, 400, 400, 413, 408, 401, 403, 404, 405, 409, 409, 422, 429, 503, 503, 503, 500]
        );
    }
}
