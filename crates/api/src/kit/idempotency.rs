//! `Idempotency-Key`: a call that is made again gets the first answer, byte for byte.
//!
//! The engine keeps an answer in the transaction of its effect; here it is put together, and found again.

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use signalpost_core::error::Error;
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::{CallContent, KeyedCall, parse_key};
use signalpost_engine::once::{Keep, Stale};
use signalpost_engine::{Done, Engine};

use crate::kit::refusal::Answer;

pub(crate) const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the key of a request is about, taken before its body is read; nothing when it carries no key.
pub(crate) struct Announced(Option<Head>);

struct Head {
    operation: &'static str,
    key: String,
    method: String,
    path: String,
    media_type: String,
}

/// A request that was read, with its key if it carries one.
#[derive(Clone, Copy)]
pub(crate) struct Repeatable(Option<KeyedCall>);

impl Announced {
    /// `operation` is the stable name under which keys are remembered. `Invalid` for a key of a wrong form, and for
    /// two of them: two readers could take different ones.
    pub(crate) fn of(operation: &'static str, request: &Request) -> Result<Self, Error> {
        // The way of nearly every event: nothing is looked at any further.
        if !request.headers().contains_key(HEADER) {
            return Ok(Self(None));
        }
        let mut values = request.headers().get_all(HEADER).iter();
        let value = values.next().map_or(&b""[..], HeaderValue::as_bytes);
        if values.next().is_some() {
            return Err(Error::field(HEADER, "must stand once"));
        }
        let key = parse_key(value).map_err(|problem| Error::field(HEADER, problem))?;
        let original = request.extensions().get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        Ok(Self(Some(Head {
            operation,
            key,
            method: request.method().as_str().to_owned(),
            path: original.unwrap_or_else(|| request.uri()).path().to_owned(),
            media_type: essence(request.headers()),
        })))
    }

    pub(crate) const fn is_keyed(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn with(&self, body: &[u8]) -> Repeatable {
        Repeatable(self.0.as_ref().map(|head| {
            let (method, path, media_type) = (&*head.method, &*head.path, &*head.media_type);
            KeyedCall::new(head.operation, &head.key, CallContent { method, path, media_type, body })
        }))
    }
}

impl Repeatable {
    pub(crate) const fn call(self) -> Option<KeyedCall> {
        self.0
    }

    /// Makes the call, unless it was made before: then the answer of that time is given again. It is looked up first of
    /// all, for what has changed since, the time included, must not change it. `KeyReused` when the key was used for
    /// another request.
    ///
    /// `workspace` is the one that it is a call of; `stale` what memory may hold of before it. `make` ends with
    /// [`answer`], and hands [`Self::keep`] to the engine.
    pub(crate) async fn once(
        self,
        engine: &Engine,
        workspace: Option<WorkspaceId>,
        stale: Stale<'_>,
        make: impl Future<Output = Answer>,
    ) -> Answer {
        if let Some(call) = self.0
            && let Some(kept) = engine.answered_before(workspace, call, stale).await?
        {
            return Ok(replayed(&kept)?);
        }
        make.await
    }

    /// How the answer to this call is kept, if it is.
    pub(crate) fn keep<T>(
        self,
        answer: &(dyn Fn(&T) -> Result<Vec<u8>, Error> + Sync),
    ) -> Option<Keep<'_, T>> {
        self.0.map(|call| Keep { call, answer })
    }
}

/// The answer to a call, made by `show` from what was done or kept since it was done.
pub(crate) fn answer<T>(done: Done<T, Vec<u8>>, show: impl Fn(&T) -> Result<Vec<u8>, Error>) -> Answer {
    match done {
        Done::Now(done) => Ok(response(&show(&done)?)?),
        Done::Before(kept) => Ok(replayed(&kept)?),
    }
}

/// Marks an answer as one that was given before.
pub(crate) fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
}

/// A JSON answer as it is kept: status, length of the location, location, body.
pub(crate) fn kept(status: StatusCode, location: &str, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(location.len()).map_err(Error::internal)?;
    let mut bytes = status.as_u16().to_be_bytes().to_vec();
    bytes.extend(length.to_be_bytes());
    bytes.extend(location.as_bytes());
    serde_json::to_writer(&mut bytes, value).map_err(Error::internal)?;
    Ok(bytes)
}

/// The header, for the document.
pub(crate) fn parameter() -> (&'static str, &'static str, Value) {
    let about = "A name for this call, kept for 24 hours: the same request again gets the first answer, with \
                 `Idempotency-Replayed: true`, and changes nothing; another request under the same key is refused. \
                 The oldest are forgotten before, when the newest of a workspace take more than 256 MiB (some million \
                 of published events) or the store has no room. Bare or in quotes (RFC 8941).";
    let bare = "[!#-~][!-~]{0,254}";
    let quoted = r#""(?:[!#-\[\]-~]|\\["\\]){1,255}""#;
    let pattern = format!("^(?:{bare}|{quoted})$");
    let example = "8e03978e-40d5-43e8-bc93-6894a57f9324";
    ("Idempotency-Key", about, json!({"type": "string", "pattern": pattern, "examples": [example]}))
}

fn replayed(kept: &[u8]) -> Result<Response, Error> {
    let mut response = response(kept)?;
    mark_replayed(&mut response);
    Ok(response)
}

/// No cache may keep what answers a call by its key, least of all a secret.
fn response(kept: &[u8]) -> Result<Response, Error> {
    let damaged = || Error::internal("a kept answer is damaged");
    let (status, rest) = kept.split_first_chunk::<2>().ok_or_else(damaged)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (location, body) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let mut response = Response::new(Body::from(body.to_vec()));
    *response.status_mut() = StatusCode::from_u16(u16::from_be_bytes(*status)).map_err(Error::internal)?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !location.is_empty() {
        headers.insert(LOCATION, HeaderValue::from_bytes(location).map_err(Error::internal)?);
    }
    Ok(response)
}

/// The content type without its parameters, in lower case; empty when it is missing or no text.
fn essence(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use signalpost_core::limits::{IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_SHARE_BYTES_MAX};

    use super::*;

    #[test]
    fn the_documents_pattern_says_what_the_rule_does() {
        let (_, _, schema) = parameter();
        let pattern = schema["pattern"].as_str().expect("a pattern");
        let pattern = regex_lite::Regex::new(pattern).expect("a good pattern");
        let long = |length: usize| "x".repeat(length);
        let quoted = |text: &str| format!("\"{text}\"");
        let mut values: Vec<String> = [
            "",
            "a",
            "a b",
            "a\"b",
            "\"",
            "\"\"",
            "\"a",
            "\"a\"",
            "\"a\"b",
            "\"a\";x",
            "\"a\\\"\"",
            "\"a\\b\"",
        ]
        .map(str::to_owned)
        .into();
        values.extend([long(255), long(256), quoted(&long(255)), quoted(&long(256)), quoted("a b")]);
        values.extend(["é", "a\u{7f}", "\"\\\\\"", "\"\\\\", "a,b"].map(str::to_owned));
        for value in values {
            assert_eq!(pattern.is_match(&value), parse_key(value.as_bytes()).is_ok(), "{value:?}");
        }
    }

    /// The promise is in words; this is what it is made of.
    #[test]
    fn the_document_says_how_much_is_kept() {
        let (_, about, _) = parameter();
        let mib = IDEMPOTENCY_SHARE_BYTES_MAX / (1 << 20);
        let hours = IDEMPOTENCY_KEPT_MS / 3_600_000;
        assert!(
            about.contains(&format!("{mib} MiB")) && about.contains(&format!("{hours} hours")),
            "{about}"
        );
    }

    #[test]
    fn damaged_answers_are_refused_and_good_ones_return() {
        let bytes = kept(StatusCode::CREATED, "/v1/x", &json!({"id": 1})).expect("it is kept");
        let response = response(&bytes).expect("it is whole");
        assert_eq!(response.status().as_u16(), 201);
        assert_eq!(response.headers()[LOCATION], "/v1/x");
        for end in 0..9 {
            assert!(super::response(&bytes[..end]).is_err(), "{end} bytes");
        }
    }
}
