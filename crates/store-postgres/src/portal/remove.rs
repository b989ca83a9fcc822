//! Sessions go, their ids are remembered as used.

use signalpost_core::id::WorkspaceId;

use crate::failure::Failure;
use crate::meta;
use crate::session::Session;

pub(crate) const SELECT_NEWEST: &str = "SELECT coalesce(max(id), 0) FROM portal_session WHERE workspace = $1";
/// There are [`signalpost_core::limits::PORTAL_SESSIONS_MAX`] at most.
pub(crate) const DELETE_ALL: &str = "DELETE FROM portal_session WHERE workspace = $1";
pub(crate) const DELETE: &str = "DELETE FROM portal_session WHERE id = ANY($1::bigint[])";

/// Of a workspace that is locked.
pub(crate) async fn all_of(session: &Session, workspace: WorkspaceId) -> Result<(), Failure> {
    let newest = session.number(SELECT_NEWEST, &[&workspace.raw()]).await?;
    session.execute(DELETE_ALL, &[&workspace.raw()]).await?;
    meta::raise(session, meta::HIGHEST_DELETED_ID, newest).await
}

pub(super) async fn these(session: &Session, ids: &[i64]) -> Result<(), Failure> {
    let gone = session.execute(DELETE, &[&ids]).await?;
    match ids.iter().max().filter(|_| gone > 0) {
        Some(highest) => meta::raise(session, meta::HIGHEST_DELETED_ID, *highest).await,
        None => Ok(()),
    }
}
