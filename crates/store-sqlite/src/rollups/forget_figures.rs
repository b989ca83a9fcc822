//! Removing figures: what is too old as a part of `upkeep`, and what erased workspaces have left.

use rusqlite::params;
use signalpost_core::figures::FiguresOf;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{
    MINUTE_FIGURES_AGE_MS, UPKEEP_ROWS_MAX, WEBHOOK_FIGURES_AGE_MS, WORKSPACE_FIGURES_AGE_MS,
};
use signalpost_core::time::Timestamp;

use super::figures;
use crate::failure::Failure;
use crate::fetch::limit;
use crate::write::Write;

pub(crate) const DELETE_OF_INSTALLATION: &str = "DELETE FROM figure WHERE (at, workspace, webhook) IN (
    SELECT at, workspace, webhook FROM figure WHERE workspace = 0 AND webhook = 0 AND at <= ?1 ORDER BY at LIMIT ?2)";
pub(crate) const DELETE_OF_WEBHOOKS: &str = "DELETE FROM figure WHERE (at, workspace, webhook) IN (
    SELECT at, workspace, webhook FROM figure WHERE webhook <> 0 AND at <= ?1 ORDER BY at LIMIT ?2)";
/// Nothing else is kept for as long, so all that is as old goes.
pub(crate) const DELETE_OF_WORKSPACES: &str = "DELETE FROM figure WHERE (at, workspace, webhook) IN (
    SELECT at, workspace, webhook FROM figure WHERE at <= ?1 ORDER BY at LIMIT ?2)";
pub(crate) const DELETE_OF_ERASED: &str = "DELETE FROM figure WHERE (at, workspace, webhook) IN (
    SELECT at, workspace, webhook FROM figure WHERE webhook = 0 AND workspace = ?1 ORDER BY at LIMIT ?2)";
pub(crate) const DELETE_OF_ERASED_WEBHOOKS: &str =
    "DELETE FROM figure WHERE at = ?1 AND workspace = ?2 AND webhook IN (
    SELECT webhook FROM figure WHERE at = ?1 AND workspace = ?2 AND webhook > 0 ORDER BY webhook LIMIT ?3)";
const _: () = assert!(
    WORKSPACE_FIGURES_AGE_MS >= MINUTE_FIGURES_AGE_MS && WORKSPACE_FIGURES_AGE_MS >= WEBHOOK_FIGURES_AGE_MS
);

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let (workspace, webhook) = (WorkspaceId::from_raw(0), WebhookId::from_raw(0));
    let mut left = UPKEEP_ROWS_MAX;
    for (of, sql) in [
        (FiguresOf::Installation, DELETE_OF_INSTALLATION),
        (FiguresOf::Webhook(workspace, webhook), DELETE_OF_WEBHOOKS),
        (FiguresOf::Workspace(workspace), DELETE_OF_WORKSPACES),
    ] {
        let since = now.plus_ms(-of.age_ms()).as_ms();
        left -= write.statement(sql)?.execute(params![since, limit(left)])?;
    }
    Ok(left == 0)
}

/// Up to so many rows of a workspace that is gone. How many went.
pub(crate) fn of_erased(
    write: &Write<'_>,
    workspace: WorkspaceId,
    rows_max: usize,
) -> Result<usize, Failure> {
    let mut gone = write.statement(DELETE_OF_ERASED)?.execute(params![workspace.raw(), limit(rows_max)])?;
    let mut next = i64::MIN;
    while gone < rows_max
        && let Some(hour) = figures::next_hour(write.connection, next, i64::MAX)?
    {
        let values = params![hour, workspace.raw(), limit(rows_max - gone)];
        gone += write.statement(DELETE_OF_ERASED_WEBHOOKS)?.execute(values)?;
        next = hour + 1;
    }
    Ok(gone)
}
