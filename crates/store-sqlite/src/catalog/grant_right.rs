//! `grant_right`: a further right of a user who is there.

use rusqlite::params;
use signalpost_core::limits::{USER_RIGHTS_MAX, WORKSPACE_RIGHTS_MAX};
use signalpost_core::user::Right;
use signalpost_store::StoreError;
use signalpost_store::row::{RightKey, right_key};

use super::revoke_right;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_one, limit};
use crate::write::Write;
use signalpost_store::pack::pack_texts;

/// A user who has nothing but rights on workspaces that are being erased is as good as gone.
pub(crate) const USER_LIVES: &str = "SELECT 1 FROM user_right r CROSS JOIN workspace w ON w.id = r.workspace
    WHERE r.user = ?1 AND w.erased_at IS NULL LIMIT 1";
/// The last right that a user may have.
pub(crate) const IS_USER_FULL: &str =
    "SELECT 1 FROM user_right r CROSS JOIN workspace w ON w.id = r.workspace
    WHERE r.user = ?1 AND w.erased_at IS NULL LIMIT 1 OFFSET ?2";
/// The last right that a workspace may have.
pub(crate) const IS_WORKSPACE_FULL: &str = "SELECT 1 FROM user_right WHERE workspace = ?1 LIMIT 1 OFFSET ?2";
pub(crate) const SELECT_EXPIRED: &str = "SELECT id, user FROM user_right
    WHERE workspace = ?1 AND expires_at <= ?2 ORDER BY expires_at, id LIMIT 1";
pub(crate) const INSERT: &str = "INSERT INTO user_right
    (id, workspace, user, name, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) fn run(write: &mut Write<'_>, right: &Right) -> Result<(), Failure> {
    if write.version(right.workspace)?.is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    let user = right.user.raw();
    if !exists(write.connection, USER_LIVES, [user])? {
        return Err(StoreError::Missing("user").into());
    }
    if exists(write.connection, IS_USER_FULL, [user, limit(USER_RIGHTS_MAX - 1)])? {
        return Err(StoreError::LimitReached { what: "rights of a user", limit: USER_RIGHTS_MAX }.into());
    }
    let crowded_out = crowded_out_by(write, right)?;
    add(write, right, crowded_out)
}

/// The expired right that a new one takes the place of, where its workspace has too many.
pub(super) fn crowded_out_by(write: &Write<'_>, new: &Right) -> Result<Option<RightKey>, Failure> {
    let page = [new.workspace.raw(), limit(WORKSPACE_RIGHTS_MAX - 1)];
    if !exists(write.connection, IS_WORKSPACE_FULL, page)? {
        return Ok(None);
    }
    let values = [new.workspace.raw(), new.created_at.as_ms()];
    let expired = fetch_one(write.connection, SELECT_EXPIRED, values, right_key)?;
    let limit = WORKSPACE_RIGHTS_MAX;
    Ok(Some(expired.ok_or(StoreError::LimitReached { what: "rights on a workspace", limit })?))
}

/// The new one first: the user may be the one whose last right goes.
pub(super) fn add(
    write: &mut Write<'_>,
    right: &Right,
    crowded_out: Option<RightKey>,
) -> Result<(), Failure> {
    write.statement(INSERT)?.execute(params![
        right.id.raw(),
        right.workspace.raw(),
        right.user.raw(),
        right.name,
        pack_texts(&right.scopes),
        right.created_at.as_ms(),
        right.expires_at.map(|at| at.as_ms()),
    ])?;
    write.news.note_id(right.id.raw());
    match crowded_out {
        Some(crowded_out) => revoke_right::remove(write, crowded_out),
        None => Ok(()),
    }
}
