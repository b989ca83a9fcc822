//! Events without their large columns, as far as each reader goes.

use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{EventId, WebhookId};
use signalpost_core::time::Timestamp;

use super::{Field, Fields, Row, targets};

/// What filters and summaries need of an event: everything but the large columns.
#[macro_export]
macro_rules! brief_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.type, m.subject, m.producer_id, m.targets"
    };
}
pub use brief_columns;

/// How many these are.
pub const BRIEF_COLUMNS: usize = 8;

/// An event without its payload.
pub struct Brief {
    pub id: EventId,
    pub sequence: Sequence,
    pub accepted_at: Timestamp,
    pub event_type: String,
    pub subject: Option<String>,
    pub producer_id: Option<String>,
    pub targets: Vec<WebhookId>,
}

impl From<&Event> for Brief {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id,
            sequence: event.sequence,
            accepted_at: event.accepted_at,
            event_type: event.content.event_type.clone(),
            subject: event.content.subject.clone(),
            producer_id: event.content.producer_id.clone(),
            targets: event.targets.clone(),
        }
    }
}

pub fn brief(row: &Row<'_>) -> Field<Brief> {
    let mut fields = Fields::new(row, "message", 1);
    let id = EventId::from_raw(fields.id("id")?);
    fields.skip();
    Ok(Brief {
        id,
        sequence: Sequence(fields.integer("sequence")?),
        accepted_at: fields.time("accepted_at")?,
        event_type: fields.text("type")?.to_owned(),
        subject: fields.optional_text("subject")?.map(str::to_owned),
        producer_id: fields.optional_text("producer_id")?.map(str::to_owned),
        targets: targets(&mut fields)?,
    })
}

/// What choosing needs of an event that stands in a feed.
pub struct FeedPlace {
    pub sequence: Sequence,
    pub event: EventId,
    pub event_type: String,
    pub data_bytes: usize,
}

/// Columns of `feed` and `message`: workspace, sequence, event, type, length of the data.
pub fn feed_place(row: &Row<'_>) -> Field<FeedPlace> {
    let mut fields = Fields::new(row, "feed", 2);
    fields.skip();
    Ok(FeedPlace {
        sequence: Sequence(fields.integer("sequence")?),
        event: EventId::from_raw(fields.id("event")?),
        event_type: fields.text("type")?.to_owned(),
        data_bytes: fields.count("data")?,
    })
}

/// An event as far as naming a further target goes.
pub struct SizedEvent {
    pub targets: Vec<WebhookId>,
    /// Of the columns that are written anew with the targets.
    pub bytes: usize,
    pub payload_removed_at: Option<Timestamp>,
}

/// Columns of `message`: id, targets, lengths of attributes and data together, payload_removed_at.
pub fn sized_event(row: &Row<'_>) -> Field<SizedEvent> {
    let mut fields = Fields::new(row, "message", 1);
    fields.skip();
    let targets = targets(&mut fields)?;
    let bytes = fields.count("data")?;
    Ok(SizedEvent { targets, bytes, payload_removed_at: fields.optional_time("payload_removed_at")? })
}
