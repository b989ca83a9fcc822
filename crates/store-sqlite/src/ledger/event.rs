//! `event`: one event of a workspace, by our id or the producer's.

use std::sync::Arc;

use rusqlite::{Connection, params};
use signalpost_core::event::Event;
use signalpost_core::id::WorkspaceId;
use signalpost_store::ledger::EventKey;

use crate::catalog::find;
use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row;
use signalpost_store::row::event_columns;

pub(crate) const SELECT_BY_ID: &str =
    concat!("SELECT ", event_columns!(), " FROM message m WHERE m.id = ?1 AND m.workspace = ?2");
/// The newest that carries it, be it an identity or a label.
pub(crate) const SELECT_BY_PRODUCER_ID: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM event_key k CROSS JOIN message m ON m.id = k.event
     WHERE k.workspace = ?1 AND k.producer_id = ?2 ORDER BY k.event DESC LIMIT 1"
);

pub(super) fn run(
    connection: &Connection,
    workspace: WorkspaceId,
    key: &EventKey,
) -> Result<Option<Arc<Event>>, Failure> {
    if !find::workspace_lives(connection, workspace)? {
        return Ok(None);
    }
    let found = match key {
        EventKey::Ours(id) => fetch_one(connection, SELECT_BY_ID, [id.raw(), workspace.raw()], row::event)?,
        EventKey::Producer(id) => {
            fetch_one(connection, SELECT_BY_PRODUCER_ID, params![workspace.raw(), id], row::event)?
        }
    };
    Ok(found.map(Arc::new))
}
