//! `replay_sample`: the oldest events of a plan.

use signalpost_core::id::{EventId, ReplayId, WorkspaceId};
use signalpost_store::row::Fields;

use super::find;
use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str =
    "SELECT replay, event FROM replay_plan WHERE replay = $1 ORDER BY event LIMIT $2";

pub(super) async fn run(
    session: &Session,
    workspace: WorkspaceId,
    id: ReplayId,
    rows: usize,
) -> Result<Vec<EventId>, Failure> {
    // Of one that has ended some rows may still be there.
    if find::replay_of(session, workspace, id).await?.is_none_or(|replay| !replay.phase.is_open()) {
        return Ok(Vec::new());
    }
    session
        .all(SELECT, &[&id.raw(), &limit(rows)], |row| {
            let mut fields = Fields::new(row, "replay_plan", 2);
            fields.skip();
            fields.id("event").map(EventId::from_raw)
        })
        .await
}
