//! `list_credentials`: oldest first.

use rusqlite::Connection;
use signalpost_core::credential::Credential;
use signalpost_core::id::WorkspaceId;

use super::find;
use crate::failure::Failure;
use crate::fetch::fetch_all;
use signalpost_store::row;
use signalpost_store::row::credential_columns;

pub(crate) const SELECT: &str =
    concat!("SELECT ", credential_columns!(), " FROM credential WHERE workspace = ?1 ORDER BY id");

pub(super) fn run(connection: &Connection, workspace: WorkspaceId) -> Result<Vec<Credential>, Failure> {
    // Erasing it takes a while to come to every credential.
    if !find::workspace_lives(connection, workspace)? {
        return Ok(Vec::new());
    }
    fetch_all(connection, SELECT, [workspace.raw()], row::credential)
}
