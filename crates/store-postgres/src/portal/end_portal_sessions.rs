//! `end_portal_sessions`: all of a workspace, and what links of earlier would open.

use signalpost_core::id::WorkspaceId;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use super::remove;
use crate::failure::Failure;
use crate::write::Write;

/// A clock that is behind, or was set back, opens nothing again that was ended. Whoever has never ended any has no instant.
pub(crate) const UPDATE: &str = "UPDATE workspace SET portal_ended_at = greatest(portal_ended_at, $2) WHERE id = $1 AND erased_at IS NULL";

pub(super) async fn run(write: &mut Write<'_>, workspace: WorkspaceId, at: Timestamp) -> Result<(), Failure> {
    write.lock(workspace).await?;
    if write.execute(UPDATE, &[&workspace.raw(), &at.as_ms()]).await? == 0 {
        return Err(StoreError::Missing("workspace").into());
    }
    remove::all_of(write, workspace).await?;
    write.note_change(Change::PortalSessions(workspace));
    Ok(())
}
