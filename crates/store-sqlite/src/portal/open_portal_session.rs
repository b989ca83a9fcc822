//! `open_portal_session`: one more, in place of the oldest of too many.

use rusqlite::params;
use signalpost_core::limits::PORTAL_SESSIONS_MAX;
use signalpost_store::StoreError;
use signalpost_store::portal::OpenPortalSession;
use signalpost_store::row::{self, Fields};

use super::remove;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, fetch_one, limit};
use crate::write::Write;

pub(crate) const SELECT_ENDED_AT: &str =
    "SELECT id, portal_ended_at FROM workspace WHERE id = ?1 AND erased_at IS NULL";
pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM portal_session WHERE hash = ?1";
/// There is one at most, unless fewer were permitted before.
pub(crate) const SELECT_CROWDED_OUT: &str =
    "SELECT id FROM portal_session WHERE workspace = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?2";
pub(crate) const INSERT: &str = "INSERT INTO portal_session
    (id, workspace, hash, rights, name, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn run(write: &mut Write<'_>, params: &OpenPortalSession) -> Result<(), Failure> {
    let OpenPortalSession { session, hash, link_made_at } = params;
    let workspace = session.workspace.raw();
    let ended_at = fetch_one(write.connection, SELECT_ENDED_AT, [workspace], row::portal_ended_at)?;
    let ended_at = ended_at.ok_or(StoreError::Missing("workspace"))?;
    if ended_at.is_some_and(|ended_at| *link_made_at <= ended_at) {
        return Err(StoreError::WrongState("all sessions were ended after the link was made").into());
    }
    if exists(write.connection, IS_TAKEN, [hash.0])? {
        return Err(StoreError::Taken("portal session").into());
    }
    let values = params![workspace, limit(PORTAL_SESSIONS_MAX - 1)];
    let id = |row: &row::Row<'_>| Fields::new(row, "portal_session", 1).integer("id");
    for id in fetch_all(write.connection, SELECT_CROWDED_OUT, values, id)? {
        remove::one(write, id)?;
    }
    write.statement(INSERT)?.execute(params![
        session.id.raw(),
        workspace,
        hash.0,
        session.rights.name(),
        session.name,
        session.created_at.as_ms(),
        session.expires_at.as_ms(),
    ])?;
    write.news.note_id(session.id.raw());
    Ok(())
}
