//! `revoke_right`: the row goes, and with a user's last one the user and the session. Their ids are remembered as used.

use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_store::StoreError;

use super::find;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_one};
use crate::meta;
use crate::write::Write;
use signalpost_store::row::{RightKey, right_key};

pub(crate) const SELECT: &str = "SELECT id, user FROM user_right WHERE id = ?1 AND workspace = ?2";
pub(crate) const DELETE: &str = "DELETE FROM user_right WHERE id = ?1";
pub(crate) const ANY_LEFT: &str = "SELECT 1 FROM user_right WHERE user = ?1";
pub(crate) const DELETE_SESSION: &str = "DELETE FROM session WHERE user = ?1";
pub(crate) const DELETE_USER: &str = "DELETE FROM user WHERE id = ?1";

pub(super) fn run(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    right: CredentialId,
) -> Result<UserId, Failure> {
    let missing = || StoreError::Missing("right");
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(missing().into());
    }
    let found = fetch_one(write.connection, SELECT, [right.raw(), workspace.raw()], right_key)?;
    let found = found.ok_or_else(missing)?;
    remove(write, found)?;
    Ok(found.user)
}

pub(crate) fn remove(write: &Write<'_>, RightKey { id, user }: RightKey) -> Result<(), Failure> {
    write.statement(DELETE)?.execute([id])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, id)?;
    if exists(write.connection, ANY_LEFT, [user.raw()])? {
        return Ok(());
    }
    write.statement(DELETE_SESSION)?.execute([user.raw()])?;
    write.statement(DELETE_USER)?.execute([user.raw()])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, user.raw())
}
