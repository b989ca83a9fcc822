//! `list_rights`: oldest first, each with its user.

use signalpost_core::id::WorkspaceId;
use signalpost_store::catalog::HeldRight;
use signalpost_store::row;
use signalpost_store::row::{right_columns, user_columns};

use super::find;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    right_columns!(),
    ", ",
    user_columns!(),
    " FROM user_right r JOIN \"user\" u ON u.id = r.user WHERE r.workspace = $1 ORDER BY r.id"
);

pub(super) async fn run(session: &Session, workspace: WorkspaceId) -> Result<Vec<HeldRight>, Failure> {
    // Erasing it takes a while to come to every right.
    if !find::workspace_lives(session, workspace).await? {
        return Ok(Vec::new());
    }
    session.all(SELECT, &[&workspace.raw()], row::held_right).await
}
