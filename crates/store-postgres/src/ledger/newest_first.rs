//! Going through events from the newest to the oldest, page by page.

use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::row::{BRIEF_COLUMNS, Brief, Fields, Row, brief, brief_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    brief_columns!(),
    " FROM message m WHERE m.workspace = $1 AND m.id + 0 <= $2 ORDER BY m.id + 0 DESC LIMIT $3"
);
/// A delivery has an attempt, or is owed its first, or was dropped before it. With an event that is gone all is NULL but its id,
/// which stands at the end.
pub(crate) const SELECT_OF_WEBHOOK: &str = concat!(
    "SELECT ",
    brief_columns!(),
    ", k.event FROM (
        (SELECT DISTINCT a.event FROM attempt a WHERE a.webhook = $4 AND a.event <= $2 ORDER BY a.event DESC LIMIT $3)
        UNION
        (SELECT d.event FROM due d WHERE d.webhook = $4 AND d.event <= $2 AND d.steps = 0 ORDER BY d.event DESC LIMIT $3)
        UNION
        (SELECT g.event FROM dropped g WHERE g.webhook = $4 AND g.event <= $2 ORDER BY g.event DESC LIMIT $3)
        ORDER BY event DESC LIMIT $3) AS k
    LEFT JOIN LATERAL (SELECT * FROM message m WHERE m.id = k.event AND m.workspace = $1 OFFSET 0) AS m ON true
    ORDER BY k.event DESC"
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

/// Some events, the newest first.
pub(super) struct Page {
    pub(super) events: Vec<Brief>,
    /// The newest that may come behind them; `None` at the end.
    pub(super) next: Option<i64>,
}

/// Up to `rows` events from `newest` (inclusive) on. Fewer need not be the last ones: an event may be gone of which retention
/// and an attempt's end, side by side, have left a row.
pub(super) async fn page(session: &Session, scope: Scope, newest: i64, rows: usize) -> Result<Page, Failure> {
    let (workspace, most) = (scope.workspace.raw(), limit(rows));
    let keyed = match scope.webhook {
        None => session.all(SELECT_OF_WORKSPACE, &[&workspace, &newest, &most], of_workspace).await?,
        Some(webhook) => {
            session.all(SELECT_OF_WEBHOOK, &[&workspace, &newest, &most, &webhook.raw()], of_webhook).await?
        }
    };
    let last = keyed.last().filter(|_| keyed.len() == rows).map(|(id, _)| *id);
    let next = last.map(|id| id.saturating_sub(1));
    Ok(Page { events: keyed.into_iter().filter_map(|(_, event)| event).collect(), next })
}

type Keyed = Result<(i64, Option<Brief>), StoreError>;

fn of_workspace(row: &Row<'_>) -> Keyed {
    let event = brief(row)?;
    Ok((event.id.raw(), Some(event)))
}

fn of_webhook(row: &Row<'_>) -> Keyed {
    let mut fields = Fields::new(row, "attempt", 1);
    let is_gone = fields.optional_integer("id")?.is_none();
    (1..BRIEF_COLUMNS).for_each(|_| fields.skip());
    let id = fields.integer("event")?;
    Ok((id, if is_gone { None } else { Some(brief(row)?) }))
}

/// One event of a workspace.
pub(super) async fn one(
    session: &Session,
    workspace: WorkspaceId,
    event: EventId,
) -> Result<Option<Brief>, Failure> {
    session.one(SELECT_ONE, &[&event.raw(), &workspace.raw()], brief).await
}
