//! Going through events from the newest to the oldest: the unindexed tail first, then the listing index.
//!
//! The index holds every event up to its mark and nothing above, so the two never overlap. Both are read on one
//! snapshot, so an event cannot fall between them.

use std::ops::ControlFlow;

use rusqlite::{Connection, Params, Row, params};
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::meta;
use crate::row::{Fields, targets};

/// What filters and summaries need of an event: everything but the large columns.
macro_rules! brief_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.type, m.subject, m.producer_id, m.targets"
    };
}
pub(crate) const SELECT_TAIL: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM message m WHERE m.id > ?1 AND m.id <= ?2 AND m.workspace = ?3 ORDER BY m.id DESC"
);
pub(crate) const SELECT_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM ix_event i CROSS JOIN message m ON m.id = i.event
     WHERE i.workspace = ?1 AND i.event <= ?2 ORDER BY i.event DESC"
);
pub(crate) const SELECT_OF_WEBHOOK: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM ix_delivery i CROSS JOIN message m ON m.id = i.event
     WHERE i.webhook = ?1 AND i.event <= ?2 AND m.workspace = ?3 ORDER BY i.event DESC"
);
pub(crate) const SELECT_ONE: &str =
    concat!("SELECT ", brief_columns!(), " FROM message m WHERE m.id = ?1 AND m.workspace = ?2");

/// An event without its payload.
pub(super) struct Brief {
    pub(super) id: EventId,
    pub(super) sequence: Sequence,
    pub(super) accepted_at: Timestamp,
    pub(super) event_type: String,
    pub(super) subject: Option<String>,
    pub(super) producer_id: Option<String>,
    pub(super) targets: Vec<WebhookId>,
}

/// Whose events.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) workspace: WorkspaceId,
    /// Only those that this webhook was chosen for.
    pub(super) webhook: Option<WebhookId>,
}

/// Shows events of a workspace to `visit`, newest first, from `newest` (inclusive) on, until it breaks.
pub(super) fn walk(
    connection: &Connection,
    scope: Scope,
    newest: i64,
    visit: &mut dyn FnMut(Brief) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let mark = meta::read(connection, meta::INDEXED)?;
    let mut visit_wanted = |event: Brief| match scope.webhook {
        Some(webhook) if !event.targets.contains(&webhook) => Ok(ControlFlow::Continue(())),
        _ => visit(event),
    };
    let workspace = scope.workspace.raw();
    if newest > mark {
        let tail = walk_rows(connection, SELECT_TAIL, params![mark, newest, workspace], &mut visit_wanted)?;
        if tail.is_break() {
            return Ok(());
        }
    }
    // Stopped or exhausted, it is the end either way.
    let _: ControlFlow<()> = match scope.webhook {
        None => walk_rows(connection, SELECT_OF_WORKSPACE, params![workspace, newest], &mut visit_wanted)?,
        Some(webhook) => {
            let values = params![webhook.raw(), newest, workspace];
            walk_rows(connection, SELECT_OF_WEBHOOK, values, &mut visit_wanted)?
        }
    };
    Ok(())
}

/// One event of a workspace.
pub(super) fn one(
    connection: &Connection,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Option<Brief>, Failure> {
    fetch_one(connection, SELECT_ONE, [event.raw(), workspace.raw()], brief)
}

fn walk_rows(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    visit: &mut dyn FnMut(Brief) -> Result<ControlFlow<()>, Failure>,
) -> Result<ControlFlow<()>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        if visit(brief(row)?)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn brief(row: &Row<'_>) -> Result<Brief, StoreError> {
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
