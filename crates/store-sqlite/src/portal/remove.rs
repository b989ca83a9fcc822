//! Sessions go, their ids are remembered as used.

use signalpost_core::id::WorkspaceId;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const SELECT_NEWEST: &str = "SELECT coalesce(max(id), 0) FROM portal_session WHERE workspace = ?1";
/// There are [`signalpost_core::limits::PORTAL_SESSIONS_MAX`] at most.
pub(crate) const DELETE_ALL: &str = "DELETE FROM portal_session WHERE workspace = ?1";
pub(crate) const DELETE: &str = "DELETE FROM portal_session WHERE id = ?1";

pub(crate) fn all_of(write: &Write<'_>, workspace: WorkspaceId) -> Result<(), Failure> {
    let newest: i64 = write.statement(SELECT_NEWEST)?.query_row([workspace.raw()], |row| row.get(0))?;
    write.statement(DELETE_ALL)?.execute([workspace.raw()])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest)
}

/// One that is there.
pub(super) fn one(write: &Write<'_>, id: i64) -> Result<(), Failure> {
    write.statement(DELETE)?.execute([id])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, id)
}
