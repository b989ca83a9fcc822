//! `fan_out`: a workspace, its version and its active webhooks, on one snapshot.

use rusqlite::Connection;
use signalpost_core::id::WorkspaceId;
use signalpost_store::catalog::FanOut;

use super::find;
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use signalpost_store::row;
use signalpost_store::row::{Fields, webhook_columns};

pub(crate) const SELECT_VERSION: &str = "SELECT workspace, version FROM head WHERE workspace = ?1";
pub(crate) const SELECT_WEBHOOKS: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.workspace = ?1 AND h.deleted_at IS NULL AND h.disabled_at IS NULL ORDER BY h.id"
);

pub(super) fn run(connection: &Connection, id: WorkspaceId) -> Result<Option<FanOut>, Failure> {
    let Some(workspace) = find::workspace(connection, id)? else { return Ok(None) };
    let version = fetch_one(connection, SELECT_VERSION, [id.raw()], |row| {
        let mut fields = Fields::new(row, "head", 1);
        fields.skip();
        fields.count("version")
    })?;
    let Some(version) = version else { return Ok(None) };
    let webhooks = fetch_all(connection, SELECT_WEBHOOKS, [id.raw()], row::webhook)?;
    Ok(Some(FanOut { workspace, version, webhooks }))
}
