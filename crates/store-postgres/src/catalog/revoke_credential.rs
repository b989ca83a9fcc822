//! `revoke_credential`: the row goes, its id is remembered as used.

use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM credential WHERE id = $1 AND workspace = $2";

pub(super) async fn run(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    credential: CredentialId,
) -> Result<(), Failure> {
    write.lock(workspace).await?;
    if write.version(workspace).is_none() {
        return Err(StoreError::Missing("credential").into());
    }
    if write.execute(DELETE, &[&credential.raw(), &workspace.raw()]).await? == 0 {
        return Err(StoreError::Missing("credential").into());
    }
    write.note_change(Change::Credential(credential));
    meta::raise(write, meta::HIGHEST_DELETED_ID, credential.raw()).await
}
