//! `grant_right`: a further right of a user who is there.

use signalpost_core::limits::{USER_RIGHTS_MAX, WORKSPACE_RIGHTS_MAX};
use signalpost_core::user::Right;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::{RightKey, right_key};

use super::{revoke_right, user};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::{Session, limit};
use crate::write::Write;

/// A user who has nothing but rights on workspaces that are being erased is as good as gone.
pub(crate) const USER_LIVES: &str = "SELECT 1 FROM user_right r JOIN workspace w ON w.id = r.workspace
    WHERE r.user = $1 AND w.erased_at IS NULL LIMIT 1";
/// The last right that a user may have.
pub(crate) const IS_USER_FULL: &str = "SELECT 1 FROM user_right r JOIN workspace w ON w.id = r.workspace
    WHERE r.user = $1 AND w.erased_at IS NULL LIMIT 1 OFFSET $2";
/// The last right that a workspace may have.
pub(crate) const IS_WORKSPACE_FULL: &str = "SELECT 1 FROM user_right WHERE workspace = $1 LIMIT 1 OFFSET $2";
pub(crate) const SELECT_EXPIRED: &str = "SELECT id, \"user\" FROM user_right
    WHERE workspace = $1 AND expires_at <= $2 ORDER BY expires_at, id LIMIT 1";
pub(crate) const INSERT: &str = "INSERT INTO user_right
    (id, workspace, \"user\", name, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// What must be locked before a right is stored.
pub(super) const fn locks_of(right: &Right) -> [Locked; 2] {
    [Locked::Workspace(right.workspace), Locked::User(right.user)]
}

pub(super) async fn run(write: &mut Write<'_>, right: &Right) -> Result<(), Failure> {
    write.lock_all(&locks_of(right)).await?;
    if write.version(right.workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    let user = right.user.raw();
    user::check_stays(write, right.user).await?;
    if !write.exists(USER_LIVES, &[&user]).await? {
        return Err(StoreError::Missing("user").into());
    }
    if write.exists(IS_USER_FULL, &[&user, &limit(USER_RIGHTS_MAX - 1)]).await? {
        return Err(StoreError::LimitReached { what: "rights of a user", limit: USER_RIGHTS_MAX }.into());
    }
    let crowded_out = crowded_out_by(write, right).await?;
    write.note_change(Change::Granted(right.user));
    add(write, right, crowded_out).await
}

/// The expired right that a new one takes the place of, where its workspace has too many.
pub(super) async fn crowded_out_by(session: &Session, new: &Right) -> Result<Option<RightKey>, Failure> {
    let workspace = new.workspace.raw();
    if !session.exists(IS_WORKSPACE_FULL, &[&workspace, &limit(WORKSPACE_RIGHTS_MAX - 1)]).await? {
        return Ok(None);
    }
    let expired = session.one(SELECT_EXPIRED, &[&workspace, &new.created_at.as_ms()], right_key).await?;
    let limit = WORKSPACE_RIGHTS_MAX;
    Ok(Some(expired.ok_or(StoreError::LimitReached { what: "rights on a workspace", limit })?))
}

/// The new one first: the user may be the one whose last right goes.
pub(super) async fn add(
    write: &mut Write<'_>,
    right: &Right,
    crowded_out: Option<RightKey>,
) -> Result<(), Failure> {
    write
        .execute(
            INSERT,
            &[
                &right.id.raw(),
                &right.workspace.raw(),
                &right.user.raw(),
                &right.name,
                &pack_texts(&right.scopes),
                &right.created_at.as_ms(),
                &right.expires_at.map(|at| at.as_ms()),
            ],
        )
        .await?;
    write.news.note_id(right.id.raw());
    match crowded_out {
        Some(crowded_out) => revoke_right::remove(write, &[crowded_out]).await,
        None => Ok(()),
    }
}
