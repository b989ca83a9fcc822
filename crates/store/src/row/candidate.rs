//! Events as far as retention cares.

use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};

use super::{Field, Fields, Row, targets};
use crate::{StoreError, weight};

/// What judging and removing an event needs: no large column is read.
#[macro_export]
macro_rules! candidate_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.payload_removed_at, length(m.data), \
         coalesce(length(m.attributes), 0), length(m.targets), m.ordering_key IS NOT NULL, \
         m.producer_id, m.targets"
    };
}
pub use candidate_columns;

/// An event that may have to go.
pub struct Candidate {
    pub id: i64,
    pub workspace: WorkspaceId,
    pub accepted_at: i64,
    pub payload: Payload,
    /// Of the event's row, in the sense of [`crate::weight`].
    pub bytes: i64,
    pub sequence: Sequence,
    /// The producer's id and the targets; the problem when they cannot be read.
    pub content: Result<Content, StoreError>,
    /// Whether deliveries of it may have a place in an order.
    pub is_keyed: bool,
}

/// Whether an event has its payload still.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    Stored { bytes: i64 },
    Removed,
}

/// What removing an event needs to know of its columns.
#[derive(Default)]
pub struct Content {
    pub producer_id: Option<String>,
    pub targets: Vec<WebhookId>,
}

/// A row of `candidate_columns`. One damaged event must not keep the others, so what is damaged in it is not an
/// error yet.
pub fn candidate(row: &Row<'_>) -> Field<Candidate> {
    let mut fields = Fields::new(row, "message", 1);
    let id = fields.id("id")?;
    let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
    let sequence = Sequence(fields.integer("sequence")?);
    let accepted_at = fields.integer("accepted_at")?;
    let removed_at = fields.optional_integer("payload_removed_at")?;
    let data_bytes: usize = fields.count("data")?;
    let bytes = weight::of_message(data_bytes, fields.count("attributes")?, fields.count("targets")?);
    let payload = match removed_at {
        None => Payload::Stored { bytes: i64::try_from(data_bytes).unwrap_or(i64::MAX) },
        Some(_) => Payload::Removed,
    };
    let is_keyed = fields.integer("ordering_key")? != 0;
    let content = content(&mut fields);
    Ok(Candidate { id, workspace, accepted_at, payload, bytes, sequence, content, is_keyed })
}

fn content(fields: &mut Fields<'_>) -> Result<Content, StoreError> {
    let producer_id = fields.optional_text("producer_id")?.map(str::to_owned);
    Ok(Content { producer_id, targets: targets(fields)? })
}
