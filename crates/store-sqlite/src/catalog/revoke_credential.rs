//! `revoke_credential`: the row goes, its id is remembered as used.

use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_store::StoreError;

use super::find;
use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM credential WHERE id = ?1 AND workspace = ?2";

pub(super) fn run(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    credential: CredentialId,
) -> Result<(), Failure> {
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(StoreError::Missing("credential").into());
    }
    // Deleting nothing is no write, so this is still a decision before the first one.
    if write.statement(DELETE)?.execute([credential.raw(), workspace.raw()])? == 0 {
        return Err(StoreError::Missing("credential").into());
    }
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, credential.raw())
}
