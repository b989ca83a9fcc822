//! Removing figures: what is too old as a part of `upkeep`, and what erased workspaces have left.

use signalpost_core::figures::FiguresOf;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;

use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

pub(crate) const DELETE_OF_INSTALLATION: &str = "DELETE FROM figure WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM figure WHERE workspace = 0 AND webhook = 0 AND at <= $1 ORDER BY at LIMIT $2))";
pub(crate) const DELETE_OF_WORKSPACES: &str = "DELETE FROM figure WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM figure WHERE webhook = 0 AND at <= $1 ORDER BY at LIMIT $2))";
pub(crate) const DELETE_OF_WEBHOOKS: &str = "DELETE FROM figure WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM figure WHERE webhook <> 0 AND at <= $1 ORDER BY at LIMIT $2))";
pub(crate) const DELETE_OF_ERASED: &str = "DELETE FROM figure WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM figure WHERE workspace = $1 ORDER BY webhook, at LIMIT $2))";

/// One bounded step; `true` when there may be more.
pub(crate) async fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let (workspace, webhook) = (WorkspaceId::from_raw(0), WebhookId::from_raw(0));
    let mut left = UPKEEP_ROWS_MAX;
    for (of, sql) in [
        (FiguresOf::Installation, DELETE_OF_INSTALLATION),
        (FiguresOf::Workspace(workspace), DELETE_OF_WORKSPACES),
        (FiguresOf::Webhook(workspace, webhook), DELETE_OF_WEBHOOKS),
    ] {
        let since = now.plus_ms(-of.age_ms()).as_ms();
        let gone = write.execute(sql, &[&since, &limit(left)]).await?;
        left = left.saturating_sub(usize::try_from(gone).unwrap_or(usize::MAX));
    }
    Ok(left == 0)
}

/// Up to so many rows of a workspace that is gone, or that did not come after all. How many went.
pub(crate) async fn of_erased(
    write: &Write<'_>,
    workspace: WorkspaceId,
    rows_max: usize,
) -> Result<u64, Failure> {
    write.execute(DELETE_OF_ERASED, &[&workspace.raw(), &limit(rows_max)]).await
}
