//! `end_portal_sessions`: all of a workspace, and what links of earlier would open.

use rusqlite::params;
use signalpost_core::id::WorkspaceId;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use super::remove;
use crate::failure::Failure;
use crate::write::Write;

/// A clock that was set back opens nothing again that was ended.
pub(crate) const UPDATE: &str = "UPDATE workspace SET portal_ended_at = max(ifnull(portal_ended_at, ?2), ?2)
    WHERE id = ?1 AND erased_at IS NULL";

pub(super) fn run(write: &Write<'_>, workspace: WorkspaceId, at: Timestamp) -> Result<(), Failure> {
    if write.statement(UPDATE)?.execute(params![workspace.raw(), at.as_ms()])? == 0 {
        return Err(StoreError::Missing("workspace").into());
    }
    remove::all_of(write, workspace)
}
