//! What an address and a form say. What cannot be read becomes a page like any other refusal.

use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;
use signalpost_core::error::{Error, ErrorCode};

use crate::trouble::Trouble;

/// The parts of a path that have names.
pub(crate) struct Path<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        let unreadable = |_: PathRejection| Error::not_found("page");
        Ok(found.map(|axum::extract::Path(named)| Self(named)).map_err(unreadable)?)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let found = axum::extract::Query::from_request_parts(parts, state).await;
        let unreadable = |rejection: QueryRejection| Error::new(ErrorCode::Malformed, rejection.body_text());
        Ok(found.map(|axum::extract::Query(asked)| Self(asked)).map_err(unreadable)?)
    }
}

/// What was filled in.
pub(crate) async fn form<T: DeserializeOwned>(request: Request) -> Result<T, Error> {
    let filled = axum::extract::Form::from_request(request, &()).await;
    filled.map(|axum::extract::Form(fields)| fields).map_err(|rejection| unreadable(&rejection))
}

fn unreadable(rejection: &FormRejection) -> Error {
    let code = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        _ => ErrorCode::Malformed,
    };
    Error::new(code, rejection.body_text())
}
