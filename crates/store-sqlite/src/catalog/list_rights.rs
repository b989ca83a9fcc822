//! `list_rights`: oldest first, each with its user.

use rusqlite::Connection;
use signalpost_core::id::WorkspaceId;
use signalpost_store::catalog::HeldRight;

use super::find;
use crate::failure::Failure;
use crate::fetch::fetch_all;
use signalpost_store::row;
use signalpost_store::row::{right_columns, user_columns};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    right_columns!(),
    ", ",
    user_columns!(),
    " FROM user_right r CROSS JOIN user u ON u.id = r.user WHERE r.workspace = ?1 ORDER BY r.id"
);

pub(super) fn run(connection: &Connection, workspace: WorkspaceId) -> Result<Vec<HeldRight>, Failure> {
    // Erasing it takes a while to come to every right.
    if !find::workspace_lives(connection, workspace)? {
        return Ok(Vec::new());
    }
    fetch_all(connection, SELECT, [workspace.raw()], row::held_right)
}
