//! `revoke_operator_key`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorKeyId;
use signalpost_core::operator_key::OperatorKey;
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use super::operator_key;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_key WHERE id = ANY($1::bigint[])";

pub(super) async fn run(write: &mut Write<'_>, key: OperatorKeyId) -> Result<(), Failure> {
    let found = find(write, key).await?;
    // The workspace, to see that it is not moving.
    let workspace = found.workspace.map(Locked::Workspace);
    let locked = std::iter::once(Locked::OperatorKeys(found.workspace)).chain(workspace);
    write.lock_all(&locked.collect::<Vec<_>>()).await?;
    // Somebody may have been faster.
    find(write, key).await?;
    write.note_change(Change::OperatorKey(key));
    remove(write, &[key.raw()]).await
}

/// `Missing("operator key")`. The binding that it gives will never be another.
pub(super) async fn find(session: &Session, key: OperatorKeyId) -> Result<OperatorKey, Failure> {
    let found = operator_key::run(session, key).await?;
    Ok(found.ok_or(StoreError::Missing("operator key"))?)
}

/// Some whose bindings are locked. Those that have expired nobody accepts, whether or not other nodes know that they are gone.
pub(super) async fn remove(session: &Session, ids: &[i64]) -> Result<(), Failure> {
    session.execute(DELETE, &[&ids]).await?;
    match ids.iter().max() {
        Some(highest) => meta::raise(session, meta::HIGHEST_DELETED_ID, *highest).await,
        None => Ok(()),
    }
}
