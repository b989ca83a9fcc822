//! `remembered_webhooks`: the living and the deleted ones of a workspace, newest first.

use rusqlite::{Connection, params};
use signalpost_core::webhook::Remembered;
use signalpost_store::catalog::RememberedWebhooks;

use super::find;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

/// Each kind from an index of its own, merged.
pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = ?1 AND h.deleted_at IS NULL AND h.id < ?2
     UNION ALL SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = ?1 AND h.deleted_at IS NOT NULL AND h.id < ?2
     ORDER BY 1 DESC LIMIT ?3"
);
pub(crate) const SELECT_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = ?1 AND h.id < ?2 AND h.public_id = ?4 LIMIT ?3"
);

pub(super) fn run(connection: &Connection, params: &RememberedWebhooks) -> Result<Vec<Remembered>, Failure> {
    let RememberedWebhooks { workspace, public_id, before, limit: rows } = params;
    if !find::workspace_lives(connection, *workspace)? {
        return Ok(Vec::new());
    }
    let (before, rows) = (before.map_or(i64::MAX, |before| before.raw()), limit(*rows));
    match public_id {
        None => fetch_all(connection, SELECT, params![workspace.raw(), before, rows], row::remembered),
        Some(public_id) => {
            let values = params![workspace.raw(), before, rows, public_id];
            fetch_all(connection, SELECT_BY_PUBLIC_ID, values, row::remembered)
        }
    }
}
