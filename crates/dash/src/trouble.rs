//! What cannot be shown or done: carried out of a handler, and written as a page by who knows the visitor.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use signalpost_core::error::{Error, ErrorCode};

/// What a handler gives: a page, or the reason why not.
pub(crate) type Page = Result<Response, Trouble>;

/// An error on its way to become a page.
#[derive(Clone, Debug)]
pub(crate) struct Trouble(pub(crate) Arc<Error>);

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = status(self.0.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

pub(crate) const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Malformed | ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::Conflict | ErrorCode::LimitReached | ErrorCode::KeyReused => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What stands on the page: never more than a caller of the API would be told.
pub(crate) fn words(error: &Error) -> Markup {
    let message = match error.code {
        ErrorCode::Internal => "Something went wrong here. The log of this server says what.".to_owned(),
        _ => sentence(&error.message),
    };
    html! {
        p { (message) }
        @if !error.fields.is_empty() {
            ul { @for field in &error.fields { li { code { (field.field) } ": " (field.message) } } }
        }
    }
}

/// Errors are parts of a sentence; here they stand alone.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

pub(crate) fn log(error: &Error, path: &str) {
    let cause = error.cause.as_deref().map(|cause| cause as &dyn std::error::Error);
    match error.code {
        ErrorCode::Internal => tracing::error!(path, cause, "a page failed: {error}"),
        ErrorCode::Unavailable => tracing::warn!(path, cause, "a page could not be shown: {error}"),
        _ => tracing::debug!(path, "a page was refused: {error}"),
    }
}
