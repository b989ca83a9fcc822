//! `GET /updates`: what a reader who keeps a cursor has not seen yet, oldest first.
//!
//! A cursor is the place of an event in its workspace, in decimal digits. It moves over events that the token may not
//! read as well.

use axum::Extension;
use axum::extract::State;
use http::{StatusCode, Uri};
use serde_json::value::RawValue;
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::template::Scope;
use signalpost_engine::credentials::Caller;
use signalpost_engine::feed::FeedQuery;
use signalpost_engine::{Feed, View};

use super::details::Details;
use super::{Instance, Shared, auth, wire};
use crate::kit::query::Query;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

/// Far more digits than any cursor of ours has.
pub(super) const CURSOR_CHARS_MAX: usize = 64;

pub(super) async fn updates(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Answer {
    let instance = &surface.instance;
    let Wanted { cursor, limit } = read(uri.query(), instance)?;
    let after = cursor.as_deref().map(place_of);
    let query = FeedQuery { after, types: auth::readable(&caller, instance), limit };
    let (events, next, has_more) = match surface.engine.feed(&caller.view, query).await? {
        Feed::Page { events, next, more } => (events, next, more),
        Feed::Expired { oldest } => return Err(expired(oldest)),
    };
    // Whoever sends more digits than there can be gets the same ones back.
    let next_cursor = cursor.filter(|_| after == Some(next)).unwrap_or_else(|| next.0.to_string());
    let records: Result<Vec<_>, Error> = events.iter().map(|event| record(&caller.view, event)).collect();
    reply::json(StatusCode::OK, &wire::Updates { events: records?, next_cursor, has_more })
}

struct Wanted {
    /// Decimal digits.
    cursor: Option<String>,
    limit: usize,
}

/// Parameters that are not documented are ignored, as on the vendor's other calls.
fn read(query: Option<&str>, instance: &Instance) -> Result<Wanted, Error> {
    let mut query = Query::parse(query)?;
    let mut errors = FieldErrors::default();
    let cursor = query.take(wire::CURSOR).and_then(|text| {
        let is_number =
            (1..=CURSOR_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let checked =
            if is_number { Ok(text) } else { Err("must be a cursor that this call has given".to_owned()) };
        errors.take(wire::CURSOR, checked)
    });
    let max = instance.feed_rows_max;
    let limit = query.take(wire::LIMIT).and_then(|text| {
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        errors.take(wire::LIMIT, limit.ok_or_else(|| format!("must be a number from 1 to {max}")))
    });
    errors.into_result()?;
    Ok(Wanted { cursor, limit: limit.unwrap_or(instance.feed_rows_default) })
}

/// A number beyond every place there can be is behind the end.
fn place_of(cursor: &str) -> Sequence {
    Sequence(cursor.parse().unwrap_or(i64::MAX))
}

fn expired(oldest: Sequence) -> Refusal {
    let mut error = Error::field(wire::CURSOR, "is older than what is kept");
    error.message = "The cursor is older than what is kept; go on from details.oldestCursor".to_owned();
    Refusal::with(error, Details::CursorExpired { oldest: oldest.0.to_string() })
}

/// The record as a delivery carries it: the same template makes both.
fn record(view: &View, event: &Event) -> Result<Box<RawValue>, Error> {
    let scope = Scope {
        event,
        workspace: &view.workspace.public_id,
        webhook: "",
        delivery: "",
        attempt_at: event.accepted_at,
        body: b"",
        signature: "",
    };
    let text = String::from_utf8(view.profile.body_of(event).render(scope)).map_err(Error::internal)?;
    RawValue::from_string(text).map_err(Error::internal)
}
