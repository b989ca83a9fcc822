//! Going through events from the newest to the oldest, page by page.

use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_store::row::{Brief, brief, brief_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM message m WHERE m.workspace = $1 AND m.id + 0 <= $2 ORDER BY m.id + 0 DESC LIMIT $3"
);
/// A delivery has an attempt, or is owed its first, or was dropped before it.
pub(crate) const SELECT_OF_WEBHOOK: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM (
        (SELECT DISTINCT a.event FROM attempt a WHERE a.webhook = $4 AND a.event <= $2 ORDER BY a.event DESC LIMIT $3)
        UNION
        (SELECT d.event FROM due d WHERE d.webhook = $4 AND d.event <= $2 AND d.steps = 0 ORDER BY d.event DESC LIMIT $3)
        UNION
        (SELECT g.event FROM dropped g WHERE g.webhook = $4 AND g.event <= $2 ORDER BY g.event DESC LIMIT $3)
        ORDER BY event DESC LIMIT $3) AS k
    CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = k.event AND m.workspace = $1 OFFSET 0) AS m
    ORDER BY m.id DESC"
);
pub(crate) const SELECT_ONE: &str =
    concat!("SELECT ", brief_columns!(), " FROM message m WHERE m.id = $1 AND m.workspace = $2");

/// Whose events.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) workspace: WorkspaceId,
    /// Only those that this webhook was chosen for.
    pub(super) webhook: Option<WebhookId>,
}

/// Up to `rows` events from `newest` (inclusive) on, the newest first. Fewer are the last ones.
pub(super) async fn page(
    session: &Session,
    scope: Scope,
    newest: i64,
    rows: usize,
) -> Result<Vec<Brief>, Failure> {
    let (workspace, rows) = (scope.workspace.raw(), limit(rows));
    match scope.webhook {
        None => session.all(SELECT_OF_WORKSPACE, &[&workspace, &newest, &rows], brief).await,
        Some(webhook) => {
            session.all(SELECT_OF_WEBHOOK, &[&workspace, &newest, &rows, &webhook.raw()], brief).await
        }
    }
}

/// One event of a workspace.
pub(super) async fn one(
    session: &Session,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Option<Brief>, Failure> {
    session.one(SELECT_ONE, &[&event.raw(), &workspace.raw()], brief).await
}
