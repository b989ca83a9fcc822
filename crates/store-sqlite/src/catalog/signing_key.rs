//! `signing_key` and `list_signing_keys`, and finding one for other verbs. Deleted ones are not found.

use rusqlite::{Connection, params};
use signalpost_core::id::{SigningKeyId, WorkspaceId};
use signalpost_core::signing_key::SigningKey;

use super::find;
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use signalpost_store::row;
use signalpost_store::row::signing_key_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE id = ?1 AND workspace = ?2 AND deleted_at IS NULL"
);
pub(crate) const SELECT_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE workspace = ?1 AND public_id = ?2 AND deleted_at IS NULL"
);
/// There are [`signalpost_core::limits::SIGNING_KEYS_MAX`] at most.
pub(crate) const SELECT_ALL: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE workspace = ?1 AND deleted_at IS NULL ORDER BY id"
);

pub(super) fn by_public_id(
    connection: &Connection,
    workspace: WorkspaceId,
    public_id: &str,
) -> Result<Option<SigningKey>, Failure> {
    if !find::workspace_lives(connection, workspace)? {
        return Ok(None);
    }
    fetch_one(connection, SELECT_BY_PUBLIC_ID, params![workspace.raw(), public_id], row::signing_key)
}

pub(super) fn list(connection: &Connection, workspace: WorkspaceId) -> Result<Vec<SigningKey>, Failure> {
    if !find::workspace_lives(connection, workspace)? {
        return Ok(Vec::new());
    }
    fetch_all(connection, SELECT_ALL, [workspace.raw()], row::signing_key)
}

/// Whether the workspace lives is the caller's business.
pub(super) fn by_id(
    connection: &Connection,
    workspace: WorkspaceId,
    id: SigningKeyId,
) -> Result<Option<SigningKey>, Failure> {
    fetch_one(connection, SELECT, [id.raw(), workspace.raw()], row::signing_key)
}
