//! Reading the body of a request: its content type first, then at most so many bytes, then a second look at who sends it.

use std::fmt;

use axum::extract::Request;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use signalpost_core::error::{Error, ErrorCode};

use crate::kit::auth::single;
use crate::kit::standing::Standing;

/// The error of a body whose caller was too slow, as whoever owns the connection reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyTimedOut;

impl fmt::Display for BodyTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the caller took too long to send its body")
    }
}

impl std::error::Error for BodyTimedOut {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    Json,
    /// One JSON value a line (`application/x-ndjson`).
    Ndjson,
}

/// The whole body of a request that says it is JSON. `TooLarge` beyond `bytes_max`.
pub(crate) async fn read_json(request: Request, bytes_max: usize) -> Result<Bytes, Error> {
    media_type(request.headers(), &[MediaType::Json])?;
    read(request, bytes_max).await
}

/// The same of a request that may come without a body, which stands for an empty object then.
pub(crate) async fn read_json_if_any(request: Request, bytes_max: usize) -> Result<Bytes, Error> {
    let says_what_it_is = request.headers().contains_key(CONTENT_TYPE);
    let refusal = media_type(request.headers(), &[MediaType::Json]).err();
    if says_what_it_is && let Some(error) = refusal {
        return Err(error);
    }
    let body = read(request, bytes_max).await?;
    match refusal {
        _ if body.is_empty() => Ok(Bytes::from_static(b"{}")),
        Some(error) => Err(error),
        None => Ok(body),
    }
}

/// What the request says its body is, if that is one of `accepted`.
pub(crate) fn media_type(headers: &HeaderMap, accepted: &[MediaType]) -> Result<MediaType, Error> {
    let named = single(headers, CONTENT_TYPE.as_str()).and_then(named_media_type);
    named.filter(|media_type| accepted.contains(media_type)).ok_or_else(|| {
        let names: Vec<&str> = accepted.iter().map(|media_type| media_type.name()).collect();
        let message = format!("the body's content-type must be {} in UTF-8", names.join(" or "));
        Error::new(ErrorCode::UnsupportedMediaType, message)
    })
}

/// At most `bytes_max` bytes of body; a body that announces more is refused before it is read. `Unauthenticated` when
/// the caller's credential was revoked or has expired while the body arrived.
pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Bytes, Error> {
    let standing = Standing::of(&request)?;
    let body = collect(request, bytes_max).await?;
    standing.look_again().await?;
    Ok(body)
}

async fn collect(request: Request, bytes_max: usize) -> Result<Bytes, Error> {
    let too_large =
        || Error::new(ErrorCode::TooLarge, format!("the body may hold at most {bytes_max} bytes"));
    if announced_bytes(request.headers()).is_some_and(|bytes| bytes > bytes_max) {
        return Err(too_large());
    }
    match Limited::new(request.into_body(), bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if is_timed_out(error.as_ref()) => {
            let message = "the body did not arrive in time";
            Err(Error { cause: Some(error), ..Error::new(ErrorCode::RequestTimeout, message) })
        }
        Err(error) => {
            let message = "the body ended before it was complete";
            Err(Error { cause: Some(error), ..Error::new(ErrorCode::Malformed, message) })
        }
    }
}

impl MediaType {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// A parameter other than `charset=utf-8` changes nothing for JSON (RFC 8259 section 11); another charset does.
fn named_media_type(value: &[u8]) -> Option<MediaType> {
    let mut parts = std::str::from_utf8(value).ok()?.split(';').map(str::trim);
    let essence = parts.next()?;
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, charset)| charset.trim_matches('"'));
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return None;
    }
    [MediaType::Json, MediaType::Ndjson].into_iter().find(|known| essence.eq_ignore_ascii_case(known.name()))
}

/// Whether the cause at the bottom of an error is a caller's slowness; bodies wrap their errors.
fn is_timed_out(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        if error.is::<BodyTimedOut>() {
            return true;
        }
        at = error.source();
    }
    false
}

fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read_without_their_parameters() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;x=y",
        ] {
            assert_eq!(named_media_type(good.as_bytes()), Some(MediaType::Json), "{good}");
        }
        assert_eq!(named_media_type(b"application/x-ndjson"), Some(MediaType::Ndjson));
        for bad in
            ["", "text/json", "application/json2", "application/json; charset=latin1", "application/xml"]
        {
            assert_eq!(named_media_type(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(named_media_type(b"\xff"), None);
    }
}
