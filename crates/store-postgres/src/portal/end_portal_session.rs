//! `end_portal_session`.

use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM portal_session WHERE id = $1 AND workspace = $2";

pub(super) async fn run(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    session: PortalSessionId,
) -> Result<(), Failure> {
    write.lock(workspace).await?;
    if write.execute(DELETE, &[&session.raw(), &workspace.raw()]).await? == 0 {
        return Err(StoreError::Missing("portal session").into());
    }
    write.note_change(Change::PortalSession(session));
    meta::raise(write, meta::HIGHEST_DELETED_ID, session.raw()).await
}
