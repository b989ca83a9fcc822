//! `user`, and what is asked of a user elsewhere. Workspaces are asked too: erasing one takes a while to come to every
//! right, and whoever has no other is gone with the mark.

use signalpost_core::id::UserId;
use signalpost_core::user::{Right, User};
use signalpost_store::StoreError;
use signalpost_store::row;
use signalpost_store::row::{right_columns, user_columns};

use super::grant_right::USER_LIVES;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    concat!("SELECT ", user_columns!(), " FROM \"user\" u WHERE u.dialect = $1 AND u.public_id = $2");
pub(crate) const SELECT_RIGHTS: &str = concat!(
    "SELECT ",
    right_columns!(),
    " FROM user_right r JOIN workspace w ON w.id = r.workspace
     WHERE r.user = $1 AND w.erased_at IS NULL ORDER BY r.workspace, r.id"
);

pub(crate) const IS_MOVING: &str = "SELECT 1 FROM user_right r WHERE r.user = $1
    AND EXISTS (SELECT 1 FROM moving v WHERE v.workspace = r.workspace OFFSET 0) LIMIT 1";

pub(super) async fn run(session: &Session, dialect: &str, public_id: &str) -> Result<Option<User>, Failure> {
    let found = session.one(SELECT, &[&dialect, &public_id], row::user).await?;
    match found {
        Some(user) if lives(session, user.id).await? => Ok(Some(user)),
        _ => Ok(None),
    }
}

pub(super) async fn lives(session: &Session, user: UserId) -> Result<bool, Failure> {
    session.exists(USER_LIVES, &[&user.raw()]).await
}

/// `Moving` for a user with a right on a workspace that is going to another cell: the user goes along.
pub(super) async fn check_stays(session: &Session, user: UserId) -> Result<(), Failure> {
    if session.exists(IS_MOVING, &[&user.raw()]).await? { Err(StoreError::Moving.into()) } else { Ok(()) }
}

/// None for a user who is gone.
pub(super) async fn rights(session: &Session, user: UserId) -> Result<Vec<Right>, Failure> {
    session.all(SELECT_RIGHTS, &[&user.raw()], row::right).await
}
