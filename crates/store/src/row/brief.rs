//! Events without their large columns.

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
