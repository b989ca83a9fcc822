//! `POST /v1/workspaces/{workspace}/events`: accept one event. The hot path.
//!
//! The body is read once and its data sliced out; nothing builds a document tree.

use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_core::event::EventContent;
use signalpost_core::limits::EVENT_BODY_BYTES_MAX;
use signalpost_core::time::Timestamp;
use signalpost_engine::ingest::{NewEvent, Receipt};
use signalpost_engine::{Done, Engine};

use super::{Shared, convert};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member};
use crate::kit::idempotency::{Announced, Repeatable, mark_replayed};
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::{instant, reply};

/// Data below this is copied out of the body. A slice would keep the connection's whole read buffer alive for as
/// long as the event waits in memory, which is many times the size of a small event.
const SLICE_BYTES_MIN: usize = 64 * 1024;

pub(super) async fn publish(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let announced = Announced::of("publishEvent", &request)?;
    let body = read_json(request, EVENT_BODY_BYTES_MAX).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let event = read_event(&mut fields, surface.engine.now(), |data| data_of(&body, data));
    fields.finish()?;
    let events = event.into_iter().collect();
    publish_all(&surface.engine, &workspace, events, announced.with(&body), |receipts| {
        let receipt = receipts.into_iter().next();
        let receipt =
            receipt.ok_or_else(|| Error::internal("the engine answered an event without a receipt"))?;
        reply::json(StatusCode::ACCEPTED, &convert::receipt(receipt))
    })
    .await
}

/// Publishes, once when the call carries a key, and shows the receipts.
pub(super) async fn publish_all(
    engine: &Engine,
    workspace: &str,
    events: Vec<NewEvent>,
    call: Repeatable,
    show: impl FnOnce(Vec<Receipt>) -> Answer,
) -> Answer {
    let Some(call) = call.call() else { return show(engine.publish(workspace, events).await?) };
    match engine.publish_once(workspace, events, call).await? {
        Done::Now(receipts) => show(receipts),
        Done::Before(receipts) => {
            let mut response = show(receipts)?;
            mark_replayed(&mut response);
            Ok(response)
        }
    }
}

/// One event; `None` when something was noted. Members that are not ours are attributes of the dialect, which the
/// engine judges by name.
pub(super) fn read_event(
    fields: &mut Fields<'_>,
    now: Timestamp,
    data_of: impl Fn(&str) -> Bytes,
) -> Option<NewEvent> {
    let event_type = fields.required_text("type");
    let subject = fields.optional_text("subject");
    let ordering_key = fields.optional_text("ordering_key");
    let producer_id = fields.optional_text("id");
    let given_time = fields.optional_text("time");
    let given_time = given_time.and_then(|text| fields.check("time", instant::parse(&text)));
    let data = match fields.raw("data") {
        Member::Value(raw) => Some(data_of(raw.get())),
        Member::Null => Some(Bytes::from_static(b"null")),
        Member::Absent | Member::Broken => {
            fields.note("data", "is required; it may be any JSON value");
            None
        }
    };
    let mut attributes: Vec<(String, String)> =
        fields.rest().into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
    attributes.sort_unstable();
    let content = EventContent {
        producer_id,
        event_type: event_type?,
        subject,
        ordering_key,
        time: given_time.unwrap_or(now),
        attributes,
        data: data?,
    };
    Some(NewEvent { content, given_time })
}

/// The bytes of `data`, which is a part of `body`, as they are.
fn data_of(body: &Bytes, data: &str) -> Bytes {
    if data.len() < SLICE_BYTES_MIN || data.len() < body.len() / 2 {
        return Bytes::copy_from_slice(data.as_bytes());
    }
    body.slice_ref(data.as_bytes())
}
