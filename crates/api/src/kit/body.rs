//! Reading the body of a request: its content type first, then at most so many bytes, then a second look at who sends it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use signalpost_core::error::{Error, ErrorCode};

use crate::kit::auth::single;
use crate::kit::bodies::{BodyBudget, BodyShare};
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
    /// Names and values as browsers write them (`application/x-www-form-urlencoded`).
    Form,
}

impl MediaType {
    const ALL: [Self; 3] = [Self::Json, Self::Ndjson, Self::Form];
}

/// The whole body of a request that says it is JSON. `TooLarge` beyond `bytes_max`.
pub(crate) async fn read_json(request: Request, bytes_max: usize) -> Result<ReadBody, Error> {
    media_type(request.headers(), &[(MediaType::Json, ())])?;
    read(request, bytes_max).await
}

/// The same of a request that may come without a body, which stands for an empty object then.
pub(crate) async fn read_json_if_any(request: Request, bytes_max: usize) -> Result<ReadBody, Error> {
    let says_what_it_is = request.headers().contains_key(CONTENT_TYPE);
    let refusal = media_type(request.headers(), &[(MediaType::Json, ())]).err();
    if says_what_it_is && let Some(error) = refusal {
        return Err(error);
    }
    let body = read(request, bytes_max).await?;
    match refusal {
        _ if body.is_empty() => Ok(ReadBody { bytes: Bytes::from_static(b"{}"), ..body }),
        Some(error) => Err(error),
        None => Ok(body),
    }
}

/// What stands beside the media type that the request says its body has, if that is one of `accepted`.
pub(crate) fn media_type<T: Copy>(headers: &HeaderMap, accepted: &[(MediaType, T)]) -> Result<T, Error> {
    let named = single(headers, CONTENT_TYPE.as_str()).and_then(named_media_type);
    let found = named.and_then(|named| accepted.iter().find(|(media_type, _)| *media_type == named));
    found.map(|(_, beside)| *beside).ok_or_else(|| {
        let names: Vec<&str> = accepted.iter().map(|(media_type, _)| media_type.name()).collect();
        let message = format!("the body's content-type must be {} in UTF-8", names.join(" or "));
        Error::new(ErrorCode::UnsupportedMediaType, message)
    })
}

/// At most `bytes_max` bytes of body; a body that announces more is refused before it is read, and so is a large one
/// while too many of them are on their way. `Unauthenticated` when the caller's credential was revoked or has expired while
/// the body arrived.
pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<ReadBody, Error> {
    let standing = Standing::of(&request)?;
    let body = collect(request, bytes_max).await?;
    standing.look_again().await?;
    Ok(body)
}

async fn collect(request: Request, bytes_max: usize) -> Result<ReadBody, Error> {
    let mut share = BodyShare::of(request.extensions().get::<Arc<BodyBudget>>().cloned());
    if let Some(bytes) = announced_bytes(request.headers()) {
        if bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        share.check(bytes)?;
    }
    let mut body = Limited::new(request.into_body(), bytes_max);
    let mut parts = Parts::Nothing;
    while let Some(frame) = body.frame().await {
        // What is no data are trailers, which mean nothing here.
        if let Ok(data) = frame.map_err(|error| unreadable(error, bytes_max))?.into_data() {
            share.cover(parts.len() + data.len())?;
            parts.push(data);
        }
    }
    Ok(ReadBody { bytes: parts.joined(), _share: Some(share) })
}

/// A whole body. What it takes of the memory for bodies is given back with it: to be kept until the call is answered.
pub(crate) struct ReadBody {
    bytes: Bytes,
    _share: Option<BodyShare>,
}

impl ReadBody {
    pub(crate) const fn empty() -> Self {
        Self { bytes: Bytes::new(), _share: None }
    }
}

impl Deref for ReadBody {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

/// What has come of a body. Most bodies come in one part, which is not copied.
enum Parts {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Parts {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    fn push(&mut self, part: Bytes) {
        match self {
            Self::Nothing => *self = Self::One(part),
            Self::One(first) => {
                let mut both = BytesMut::with_capacity(2 * (first.len() + part.len()));
                both.extend_from_slice(first);
                both.extend_from_slice(&part);
                *self = Self::Many(both);
            }
            Self::Many(bytes) => bytes.extend_from_slice(&part),
        }
    }

    fn joined(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

fn too_large(bytes_max: usize) -> Error {
    Error::new(ErrorCode::TooLarge, format!("the body may hold at most {bytes_max} bytes"))
}

fn unreadable(error: Box<dyn std::error::Error + Send + Sync>, bytes_max: usize) -> Error {
    if error.is::<LengthLimitError>() {
        return too_large(bytes_max);
    }
    let (code, message) = if is_timed_out(error.as_ref()) {
        (ErrorCode::RequestTimeout, "the body did not arrive in time")
    } else {
        (ErrorCode::Malformed, "the body ended before it was complete")
    };
    Error { cause: Some(error), ..Error::new(code, message) }
}

impl MediaType {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// A parameter other than `charset=utf-8` changes nothing for JSON (RFC 8259 section 11), nor for a form; another charset
/// does.
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
    MediaType::ALL.into_iter().find(|known| essence.eq_ignore_ascii_case(known.name()))
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
    use axum::body::Body;
    use signalpost_store::testing::block_on::block_on;

    use super::*;

    #[test]
    fn a_body_keeps_its_share_until_it_is_dropped() {
        const BYTES: usize = 100_000;
        let budget = Arc::new(BodyBudget::new(BYTES));
        let request = || {
            let mut request = Request::new(Body::from(vec![b'x'; BYTES]));
            request.extensions_mut().insert(Arc::clone(&budget));
            request
        };
        let first = block_on(collect(request(), BYTES)).expect("there is room");
        let code = |read: Result<ReadBody, Error>| read.err().map(|error| error.code);
        assert_eq!(code(block_on(collect(request(), BYTES))), Some(ErrorCode::Unavailable));
        assert_eq!(first.len(), BYTES);
        drop(first);
        assert_eq!(code(block_on(collect(request(), BYTES))), None);
        assert_eq!(code(block_on(collect(request(), BYTES - 1))), Some(ErrorCode::TooLarge));
    }

    #[test]
    fn the_parts_of_a_body_are_joined_in_their_order() {
        for parts in [&[][..], &["one"], &["one", "two"], &["", "one", "", "two", "three"]] {
            let mut joined = Parts::Nothing;
            parts.iter().for_each(|part| joined.push(Bytes::from_static(part.as_bytes())));
            assert_eq!(joined.len(), parts.concat().len());
            assert_eq!(joined.joined(), parts.concat());
        }
    }

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
        let form = b"application/x-www-form-urlencoded; charset=UTF-8";
        assert_eq!(named_media_type(form), Some(MediaType::Form));
        for bad in
            ["", "text/json", "application/json2", "application/json; charset=latin1", "application/xml"]
        {
            assert_eq!(named_media_type(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(named_media_type(b"\xff"), None);
    }
}
