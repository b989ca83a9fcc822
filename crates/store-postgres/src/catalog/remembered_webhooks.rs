//! `remembered_webhooks`: the living and the deleted ones of a workspace, newest first.

use signalpost_core::webhook::Remembered;
use signalpost_store::catalog::RememberedWebhooks;
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

use super::find;
use crate::failure::Failure;
use crate::session::{Session, limit};

/// A page of each kind from an index of its own, merged.
pub(crate) const SELECT: &str = concat!(
    "(SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = $1 AND h.deleted_at IS NULL AND h.id < $2 ORDER BY h.id DESC LIMIT $3)
     UNION ALL (SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = $1 AND h.deleted_at IS NOT NULL AND h.id < $2 ORDER BY h.id DESC LIMIT $3)
     ORDER BY 1 DESC LIMIT $3"
);
pub(crate) const SELECT_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    ", h.deleted_at, h.deleted_by FROM webhook h
     WHERE h.workspace = $1 AND h.id < $2 AND h.public_id = $4 LIMIT $3"
);

pub(super) async fn run(session: &Session, params: &RememberedWebhooks) -> Result<Vec<Remembered>, Failure> {
    let RememberedWebhooks { workspace, public_id, before, limit: rows } = params;
    if !find::workspace_lives(session, *workspace).await? {
        return Ok(Vec::new());
    }
    let (before, rows) = (before.map_or(i64::MAX, |before| before.raw()), limit(*rows));
    let workspace = workspace.raw();
    match public_id {
        None => session.all(SELECT, &[&workspace, &before, &rows], row::remembered).await,
        Some(public_id) => {
            session.all(SELECT_BY_PUBLIC_ID, &[&workspace, &before, &rows, public_id], row::remembered).await
        }
    }
}
