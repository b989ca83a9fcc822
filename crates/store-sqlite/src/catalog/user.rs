//! `user`, and what is asked of a user elsewhere. Workspaces are asked too: erasing one takes a while to come to every
//! right, and whoever has no other is gone with the mark.

use rusqlite::Connection;
use signalpost_core::id::UserId;
use signalpost_core::user::{Right, User};

use super::grant_right::USER_LIVES;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, fetch_one};
use signalpost_store::row;
use signalpost_store::row::{right_columns, user_columns};

pub(crate) const SELECT: &str =
    concat!("SELECT ", user_columns!(), " FROM user u WHERE u.dialect = ?1 AND u.public_id = ?2");
pub(crate) const SELECT_RIGHTS: &str = concat!(
    "SELECT ",
    right_columns!(),
    " FROM user_right r CROSS JOIN workspace w ON w.id = r.workspace
     WHERE r.user = ?1 AND w.erased_at IS NULL ORDER BY r.workspace, r.id"
);

pub(super) fn run(connection: &Connection, dialect: &str, public_id: &str) -> Result<Option<User>, Failure> {
    let found = fetch_one(connection, SELECT, [dialect, public_id], row::user)?;
    match found {
        Some(user) if lives(connection, user.id)? => Ok(Some(user)),
        _ => Ok(None),
    }
}

pub(super) fn lives(connection: &Connection, user: UserId) -> Result<bool, Failure> {
    exists(connection, USER_LIVES, [user.raw()])
}

/// None for a user who is gone.
pub(super) fn rights(connection: &Connection, user: UserId) -> Result<Vec<Right>, Failure> {
    fetch_all(connection, SELECT_RIGHTS, [user.raw()], row::right)
}
