//! `event`: one event of a workspace, by our id or the producer's.

use std::sync::Arc;

use signalpost_core::event::Event;
use signalpost_core::id::WorkspaceId;
use signalpost_store::ledger::EventKey;

use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;
use signalpost_store::row;
use signalpost_store::row::event_columns;

pub(crate) const SELECT_BY_ID: &str =
    concat!("SELECT ", event_columns!(), " FROM message m WHERE m.id = $1 AND m.workspace = $2");
/// The newest that carries it, be it an identity or a label.
pub(crate) const SELECT_BY_PRODUCER_ID: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM event_key k CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = k.event OFFSET 0) AS m
     WHERE k.workspace = $1 AND k.producer_id = $2 ORDER BY k.event DESC LIMIT 1"
);

pub(super) async fn run(
    session: &Session,
    workspace: WorkspaceId,
    key: &EventKey,
) -> Result<Option<Arc<Event>>, Failure> {
    if !find::workspace_lives(session, workspace).await? {
        return Ok(None);
    }
    let found = match key {
        EventKey::Ours(id) => session.one(SELECT_BY_ID, &[&id.raw(), &workspace.raw()], row::event).await?,
        EventKey::Producer(id) => {
            session.one(SELECT_BY_PRODUCER_ID, &[&workspace.raw(), id], row::event).await?
        }
    };
    Ok(found.map(Arc::new))
}
