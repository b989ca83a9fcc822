//! Every refusal in the vendor's envelope: which fault it is, and whether one error is shown or a list of one.

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};
use signalpost_core::error::{Error, ErrorCode, FieldError};

use super::profile::{self, Fault};
use super::wire;
use crate::kit::context::Context;
use crate::kit::params::Missing;
use crate::kit::refusal::{Offered, Refusal};
use crate::kit::reply;

pub(super) fn render(refusal: &Refusal, _: &Context) -> Response {
    rendered(refusal, |problem| (Some(problem), None))
}

/// For callers of versions that expect a list.
pub(super) fn render_list(refusal: &Refusal, _: &Context) -> Response {
    rendered(refusal, |problem| (None, Some([problem])))
}

type Shown<'a> = (Option<wire::Problem<'a>>, Option<[wire::Problem<'a>; 1]>);

fn rendered<'a>(refusal: &'a Refusal, show: impl FnOnce(wire::Problem<'a>) -> Shown<'a>) -> Response {
    let Fault { code, name, status } = fault_of(refusal);
    let description = description(refusal.error());
    let (error, errors) = show(wire::Problem { code, name, description });
    let result = wire::Failure { code: 2, status: "error" };
    let failed = wire::Failed { result, error, errors };
    let bytes = serde_json::to_vec(&failed).expect("texts and numbers always serialise");
    let mut response = reply::with_type(status, "application/json", bytes);
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What a handler knows better than the error's code says.
fn fault_of(refusal: &Refusal) -> Fault {
    if let Some(fault) = refusal.details::<Fault>() {
        return *fault;
    }
    if refusal.details::<Missing>().is_some() {
        return profile::VARS_MISSING;
    }
    match refusal.details::<Offered>().and_then(|Offered(methods)| methods.first()) {
        Some(&Method::DELETE) => profile::NOT_DELETE,
        Some(&Method::POST) => profile::NOT_POST,
        Some(&Method::PUT) => profile::NOT_PUT,
        _ => shown(refusal.error().code),
    }
}

pub(super) const fn shown(code: ErrorCode) -> Fault {
    match code {
        ErrorCode::Malformed => profile::UNREADABLE,
        ErrorCode::UnsupportedMediaType => profile::CONTENT_TYPE,
        ErrorCode::Invalid => profile::INVALID,
        ErrorCode::TooLarge => profile::TOO_LARGE,
        ErrorCode::RequestTimeout => profile::TOO_SLOW,
        ErrorCode::Unauthenticated => profile::NO_SESSION,
        ErrorCode::Forbidden => profile::PERMISSION_DENIED,
        ErrorCode::NotFound => profile::NO_SUCH_CALL,
        ErrorCode::MethodNotAllowed => profile::NOT_GET,
        ErrorCode::Conflict | ErrorCode::KeyReused => profile::CONFLICT,
        ErrorCode::LimitReached => profile::LIMIT_REACHED,
        ErrorCode::RateLimited => profile::TOO_MANY,
        ErrorCode::Misdirected | ErrorCode::Unavailable | ErrorCode::StorageFull => profile::UNAVAILABLE,
        ErrorCode::Internal => profile::INTERNAL,
    }
}

/// Every parameter that is wrong, with the vendor's name for it.
fn description(error: &Error) -> String {
    if error.fields.is_empty() {
        return error.message.clone();
    }
    let sentence = |FieldError { field, message }: &FieldError| format!("{}: {message}", parameter(field));
    error.fields.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

/// The parameter behind a property as the engine calls it.
fn parameter(field: &str) -> &str {
    match field {
        "events" => wire::EVENT_NAME,
        "login" | "login/user" => wire::IDENTIFIER_KEY,
        "login/password" => wire::IDENTIFIER_SECRET,
        "signing_key" => wire::SIGNATURE_ID,
        other => other.strip_prefix("metadata/").unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let statuses = ErrorCode::ALL.map(|code| shown(code).status.as_u16());
        assert_eq!(
            statuses,
            [400, 415, 400, 413, 408, 401, 403, 404, 405, 409, 409, 409, 429, 503, 503, 503, 500]
        );
    }

    #[test]
    fn a_description_names_every_parameter() {
        let field = |field: &str| FieldError { field: field.to_owned(), message: "is wrong".to_owned() };
        let error = Error::fields(vec![field("url"), field("login/password"), field("metadata/campaign_id")]);
        assert_eq!(description(&error), "url: is wrong; identifier_secret: is wrong; campaign_id: is wrong");
        assert_eq!(description(&Error::new(ErrorCode::TooLarge, "too much")), "too much");
    }
}
