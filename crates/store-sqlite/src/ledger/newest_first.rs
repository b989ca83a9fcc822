//! Going through events from the newest to the oldest: the unindexed tail first, then the listing index.
//!
//! The index holds every event up to its mark and nothing above, so the two never overlap. Both are read on one
//! snapshot, so an event cannot fall between them.

use std::ops::ControlFlow;

use rusqlite::{Connection, Params, params};
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};

use crate::failure::Failure;
use crate::fetch::{Cells, fetch_one};
use crate::meta;
use signalpost_store::row::{Brief, brief, brief_columns};

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
        if visit(brief(&Cells(row))?)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
