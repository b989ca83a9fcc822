//! The variable segments of a path, percent-decoded once.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use signalpost_core::error::Error;

use crate::kit::refusal::Refusal;

/// The `N` variable segments of the matched path, in order.
///
/// Decoding happens after the path was cut into segments, so an encoded slash is a character of an id (and of
/// none that exists), and `..` is a segment like any other. What does not decode to UTF-8 is not found.
pub(crate) struct Ids<const N: usize>(pub(crate) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Ids<N> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let missing = || Refusal::from(Error::not_found("path"));
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| missing())?;
        let values: Vec<String> = params.iter().map(|(_, value)| value.to_owned()).collect();
        values.try_into().map(Self).map_err(|_| missing())
    }
}
