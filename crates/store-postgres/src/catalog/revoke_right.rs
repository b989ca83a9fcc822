//! `revoke_right`: the row goes, and with a user's last one the user and the session. Their ids are remembered as used.

use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::row::{Fields, RightKey, right_key};

use crate::failure::Failure;
use crate::locks::Locked;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT id, \"user\" FROM user_right WHERE id = $1 AND workspace = $2";
pub(crate) const DELETE: &str = "DELETE FROM user_right WHERE id = ANY($1::bigint[])";
/// Those of these users who have no right any more.
pub(crate) const DELETE_USERS: &str = "DELETE FROM \"user\" u WHERE u.id = ANY($1::bigint[])
    AND NOT EXISTS (SELECT 1 FROM user_right r WHERE r.user = u.id) RETURNING u.id";
pub(crate) const DELETE_SESSIONS: &str = "DELETE FROM session WHERE \"user\" = ANY($1::bigint[])";

pub(super) async fn run(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    right: CredentialId,
) -> Result<UserId, Failure> {
    let found = find(write, workspace, right).await?;
    write.lock_all(&[Locked::Workspace(workspace), Locked::User(found.user)]).await?;
    if write.version(workspace).is_none() {
        return Err(StoreError::Missing("right").into());
    }
    // Somebody may have been faster.
    let found = find(write, workspace, right).await?;
    remove(write, &[found]).await?;
    write.note_change(Change::User(found.user));
    Ok(found.user)
}

/// `Missing("right")`. Whose it is, that never changes.
async fn find(session: &Session, workspace: WorkspaceId, right: CredentialId) -> Result<RightKey, Failure> {
    let found = session.one(SELECT, &[&right.raw(), &workspace.raw()], right_key).await?;
    Ok(found.ok_or(StoreError::Missing("right"))?)
}

/// What expired, or was a right on a workspace that is gone, nobody goes by, whether or not other nodes know that it is gone.
/// Locks the users first, so that nobody gives one a further right meanwhile. Whoever knew them before has locked them with
/// everything else; the others may be in each other's way, and then are tried again.
pub(super) async fn remove(write: &mut Write<'_>, rights: &[RightKey]) -> Result<(), Failure> {
    if rights.is_empty() {
        return Ok(());
    }
    write.lock_all(&rights.iter().map(|right| Locked::User(right.user)).collect::<Vec<_>>()).await?;
    let (ids, users): (Vec<i64>, Vec<i64>) = rights.iter().map(|right| (right.id, right.user.raw())).unzip();
    write.execute(DELETE, &[&ids]).await?;
    let gone = write.all(DELETE_USERS, &[&users], |row| Fields::new(row, "user", 1).integer("id")).await?;
    if !gone.is_empty() {
        write.execute(DELETE_SESSIONS, &[&gone]).await?;
    }
    let highest = ids.into_iter().chain(gone).fold(0, i64::max);
    meta::raise(write, meta::HIGHEST_DELETED_ID, highest).await
}
