//! Writing down how a job stands, and removing what is left of one that has ended: its plan, in bounded steps.

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::replay::Replay;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::meta;
use crate::session::{Session, limit};
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE replay
    SET phase = $2, reason = $3, changed_by = $4, changed_at = $5,
        planned_to = $6, planned = $7, done_to = $8, sent = $9, passed_over = $10
    WHERE id = $1";
pub(crate) const INSERT_REST: &str = "INSERT INTO replay_rest (replay) VALUES ($1) ON CONFLICT DO NOTHING";
pub(crate) const INSERT_RESTS_OF: &str = "INSERT INTO replay_rest (replay)
    SELECT id FROM replay WHERE workspace = $1 ON CONFLICT DO NOTHING";
pub(crate) const SELECT_NEWEST_OF: &str = "SELECT coalesce(max(id), 0) FROM replay WHERE workspace = $1";
pub(crate) const DELETE_OF: &str = "DELETE FROM replay WHERE workspace = $1";
pub(crate) const ANY_REST: &str = "SELECT 1 FROM replay_rest LIMIT 1";
pub(crate) const SELECT_REST: &str = "SELECT replay FROM replay_rest ORDER BY replay LIMIT 1";
pub(crate) const DELETE_PLANNED: &str = "DELETE FROM replay_plan WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM replay_plan WHERE replay = $1 ORDER BY event LIMIT $2))";
/// Not before the last of the plan: another node may be at it, too.
pub(crate) const DELETE_REST: &str = "DELETE FROM replay_rest
    WHERE replay = $1 AND NOT EXISTS (SELECT 1 FROM replay_plan WHERE replay = $1)";

/// Everything of a job that changes. Its plan goes when it has ended.
pub(super) async fn save(write: &Write<'_>, replay: Replay) -> Result<Replay, Failure> {
    let (id, progress) = (replay.id.raw(), replay.progress);
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
        &id,
        &replay.phase.name(),
        &replay.phase.reason().map(|reason| reason.name()),
        &replay.changed_by.to_text(),
        &replay.changed_at.as_ms(),
        &progress.planned_to.map(|event| event.raw()),
        &signed(progress.planned),
        &progress.done_to.map(|event| event.raw()),
        &signed(progress.sent),
        &signed(progress.passed_over),
    ];
    write.execute(UPDATE, &params).await?;
    if !replay.phase.is_open() {
        write.execute(INSERT_REST, &[&id]).await?;
    }
    Ok(replay)
}

/// Removes the jobs of a workspace that is being erased; there are few. Their plans follow.
pub(crate) async fn erase(write: &Write<'_>, workspace: WorkspaceId) -> Result<(), Failure> {
    let newest = write.number(SELECT_NEWEST_OF, &[&workspace.raw()]).await?;
    meta::raise(write, meta::HIGHEST_DELETED_ID, newest).await?;
    write.execute(INSERT_RESTS_OF, &[&workspace.raw()]).await?;
    write.execute(DELETE_OF, &[&workspace.raw()]).await?;
    Ok(())
}

pub(crate) async fn is_wanted(session: &Session) -> Result<bool, Failure> {
    session.exists(ANY_REST, &[]).await
}

/// Removes up to [`UPKEEP_ROWS_MAX`] rows of the plan of one job that has ended.
pub(crate) async fn step(write: &Write<'_>) -> Result<(), Failure> {
    let first =
        write.one(SELECT_REST, &[], |row| Fields::new(row, "replay_rest", 1).integer("replay")).await?;
    let Some(replay) = first else { return Ok(()) };
    write.execute(DELETE_PLANNED, &[&replay, &limit(UPKEEP_ROWS_MAX)]).await?;
    write.execute(DELETE_REST, &[&replay]).await?;
    Ok(())
}
