//! `usage`: what one workspace has stored. Counted as it comes and goes.

use rusqlite::Connection;
use signalpost_core::id::WorkspaceId;
use signalpost_store::ledger::Usage;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row::Fields;

pub(crate) const SELECT: &str = "SELECT workspace, events, bytes FROM head WHERE workspace = ?1";

pub(super) fn run(connection: &Connection, workspace: WorkspaceId) -> Result<Option<Usage>, Failure> {
    fetch_one(connection, SELECT, [workspace.raw()], |row| {
        let mut fields = Fields::new(row, "head", 1);
        fields.skip();
        Ok(Usage { events: fields.count("events")?, bytes: fields.count("bytes")? })
    })
}
