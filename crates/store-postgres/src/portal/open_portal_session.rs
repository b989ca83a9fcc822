//! `open_portal_session`: one more, in place of the oldest of too many.

use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::limits::PORTAL_SESSIONS_MAX;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::portal::OpenPortalSession;
use signalpost_store::row::{self, Fields};

use super::remove;
use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

pub(crate) const SELECT_ENDED_AT: &str =
    "SELECT id, portal_ended_at FROM workspace WHERE id = $1 AND erased_at IS NULL";
pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM portal_session WHERE hash = $1";
/// There is one at most, unless fewer were permitted before.
pub(crate) const SELECT_CROWDED_OUT: &str =
    "SELECT id FROM portal_session WHERE workspace = $1 ORDER BY id DESC LIMIT $2 OFFSET $2";
pub(crate) const INSERT: &str = "INSERT INTO portal_session
    (id, workspace, hash, rights, name, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn run(write: &mut Write<'_>, params: &OpenPortalSession) -> Result<(), Failure> {
    let OpenPortalSession { session, hash, link_made_at } = params;
    write.lock(session.workspace).await?;
    let workspace = session.workspace.raw();
    let ended_at = write.one(SELECT_ENDED_AT, &[&workspace], row::portal_ended_at).await?;
    let ended_at = ended_at.ok_or(StoreError::Missing("workspace"))?;
    if ended_at.is_some_and(|ended_at| *link_made_at <= ended_at) {
        return Err(StoreError::WrongState("all sessions were ended after the link was made").into());
    }
    let hash = hash.0.as_slice();
    if write.exists(IS_TAKEN, &[&hash]).await? {
        return Err(StoreError::Taken("portal session").into());
    }
    make_room(write, session.workspace).await?;
    write
        .execute(
            INSERT,
            &[
                &session.id.raw(),
                &workspace,
                &hash,
                &session.rights.name(),
                &session.name,
                &session.created_at.as_ms(),
                &session.expires_at.as_ms(),
            ],
        )
        .await?;
    write.news.note_id(session.id.raw());
    Ok(())
}

async fn make_room(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<(), Failure> {
    let crowded_out = write
        .all(SELECT_CROWDED_OUT, &[&workspace.raw(), &limit(PORTAL_SESSIONS_MAX - 1)], |row| {
            Fields::new(row, "portal_session", 1).integer("id")
        })
        .await?;
    if crowded_out.is_empty() {
        return Ok(());
    }
    remove::these(write, &crowded_out).await?;
    for id in crowded_out {
        write.note_change(Change::PortalSession(PortalSessionId::from_raw(id)));
    }
    Ok(())
}
