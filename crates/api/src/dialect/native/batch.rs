//! `POST /v1/workspaces/{workspace}/events/batch`: accept many events, all or nothing.

use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;
use serde_json::value::RawValue;
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::limits::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BODY_BYTES_MAX};
use signalpost_core::time::Timestamp;
use signalpost_engine::ingest::{NewEvent, Receipt};

use super::publish::{publish_all, read_event};
use super::{Shared, convert, wire};
use crate::kit::body::{MediaType, media_type, read};
use crate::kit::fields::Fields;
use crate::kit::idempotency::Announced;
use crate::kit::json::{self, Object};
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

/// How a body of one media type is read.
type Form = fn(&Bytes, Timestamp) -> Result<Vec<NewEvent>, Error>;

pub(super) async fn publish(State(surface): Shared, Ids([workspace]): Ids<1>, request: Request) -> Answer {
    let announced = Announced::of("publishEvents", &request)?;
    let forms: [(MediaType, Form); 2] = [(MediaType::Json, of_array), (MediaType::Ndjson, of_lines)];
    let of = media_type(request.headers(), &forms)?;
    let body = read(request, BATCH_BODY_BYTES_MAX).await?;
    let events = of(&body, surface.engine.now())?;
    if events.is_empty() {
        let message = "the batch holds no event";
        return Err(Error::new(ErrorCode::Invalid, message).into());
    }
    let alone = events.len() == 1;
    let show = |receipts: Vec<Receipt>| {
        let events: Vec<wire::Receipt> = receipts.into_iter().map(convert::receipt).collect();
        reply::json(StatusCode::ACCEPTED, &wire::BatchReceipt { accepted: events.len(), events })
    };
    let answer = publish_all(&surface.engine, &workspace, events, announced.with(&body), show).await;
    answer.map_err(|refusal| if alone { refusal.map(at_first) } else { refusal })
}

fn of_array(body: &Bytes, now: Timestamp) -> Result<Vec<NewEvent>, Error> {
    let elements = json::elements(body, BATCH_EVENTS_MAX)?;
    let objects = elements.into_iter().enumerate().map(|(position, element)| object_at(position, element));
    read_all(objects.collect::<Result<_, Error>>()?, now)
}

fn object_at(position: usize, element: &RawValue) -> Result<Object<'_>, Error> {
    check_size(position, element.get().len())?;
    Object::of_element(element).map_err(|problem| malformed(format!("event {position}: {problem}")))
}

/// Lines that hold nothing but white space are no events; the last line may end without a line feed.
fn of_lines(body: &Bytes, now: Timestamp) -> Result<Vec<NewEvent>, Error> {
    let lines =
        body.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut objects = Vec::new();
    for (position, (index, line)) in lines.enumerate() {
        if position == BATCH_EVENTS_MAX {
            let message = format!("a batch may hold at most {BATCH_EVENTS_MAX} events");
            return Err(Error::new(ErrorCode::TooLarge, message));
        }
        check_size(position, line.len())?;
        let object = Object::parse(line);
        objects.push(object.map_err(|error| malformed(format!("line {}: {}", index + 1, error.message)))?);
    }
    read_all(objects, now)
}

/// Copies each event's data: a slice would keep the whole batch in memory until its last event has gone.
fn read_all(objects: Vec<Object<'_>>, now: Timestamp) -> Result<Vec<NewEvent>, Error> {
    let mut events = Vec::with_capacity(objects.len());
    let mut broken = Vec::new();
    for (position, object) in objects.into_iter().enumerate() {
        let mut fields = Fields::inside(object, format!("{position}/"));
        let copy = |data: &str| Bytes::copy_from_slice(data.as_bytes());
        events.extend(read_event(&mut fields, now, copy));
        if let Err(error) = fields.finish() {
            broken.extend(error.fields);
        }
    }
    if broken.is_empty() { Ok(events) } else { Err(Error::fields(broken)) }
}

fn check_size(position: usize, bytes: usize) -> Result<(), Error> {
    if bytes <= EVENT_BODY_BYTES_MAX {
        return Ok(());
    }
    let message = format!("event {position} is larger than {EVENT_BODY_BYTES_MAX} bytes");
    Err(Error::new(ErrorCode::TooLarge, message))
}

fn malformed(message: String) -> Error {
    Error::new(ErrorCode::Malformed, message)
}

/// The engine does not number the fields of an event that comes alone.
fn at_first(error: Error) -> Error {
    let number = |field: FieldError| FieldError { field: format!("0/{}", field.field), ..field };
    Error { fields: error.fields.into_iter().map(number).collect(), ..error }
}
