//! Writing down how a job stands, and removing what is left of one that has ended: its plan, in bounded steps.

use rusqlite::params;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::replay::Replay;

use crate::failure::Failure;
use crate::fetch::{exists, fetch_one, limit};
use crate::meta;
use crate::write::Write;
use signalpost_store::row::{Fields, Row};

pub(crate) const UPDATE: &str = "UPDATE replay
    SET phase = ?2, reason = ?3, changed_by = ?4, changed_at = ?5,
        planned_to = ?6, planned = ?7, done_to = ?8, sent = ?9, passed_over = ?10
    WHERE id = ?1";
pub(crate) const INSERT_REST: &str = "INSERT OR IGNORE INTO replay_rest (replay) VALUES (?1)";
pub(crate) const INSERT_RESTS_OF: &str =
    "INSERT OR IGNORE INTO replay_rest (replay) SELECT id FROM replay WHERE workspace = ?1";
pub(crate) const SELECT_NEWEST_OF: &str = "SELECT coalesce(max(id), 0) FROM replay WHERE workspace = ?1";
pub(crate) const DELETE_OF: &str = "DELETE FROM replay WHERE workspace = ?1";
pub(crate) const ANY_REST: &str = "SELECT 1 FROM replay_rest LIMIT 1";
pub(crate) const SELECT_REST: &str = "SELECT replay FROM replay_rest ORDER BY replay LIMIT 1";
pub(crate) const DELETE_PLANNED: &str = "DELETE FROM replay_plan WHERE replay = ?1 AND event IN
    (SELECT event FROM replay_plan WHERE replay = ?1 ORDER BY event LIMIT ?2)";
pub(crate) const DELETE_REST: &str = "DELETE FROM replay_rest WHERE replay = ?1";

/// Everything of a job that changes. Its plan goes when it has ended.
pub(super) fn save(write: &Write<'_>, replay: Replay) -> Result<Replay, Failure> {
    let (id, progress) = (replay.id.raw(), replay.progress);
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    write.statement(UPDATE)?.execute(params![
        id,
        replay.phase.name(),
        replay.phase.reason().map(|reason| reason.name()),
        replay.changed_by.to_text(),
        replay.changed_at.as_ms(),
        progress.planned_to.map(|event| event.raw()),
        signed(progress.planned),
        progress.done_to.map(|event| event.raw()),
        signed(progress.sent),
        signed(progress.passed_over),
    ])?;
    if !replay.phase.is_open() {
        write.statement(INSERT_REST)?.execute([id])?;
    }
    Ok(replay)
}

/// Removes the jobs of a workspace that is being erased; there are few. Their plans follow.
pub(crate) fn erase(write: &Write<'_>, workspace: WorkspaceId) -> Result<(), Failure> {
    let newest: i64 = write.statement(SELECT_NEWEST_OF)?.query_row([workspace.raw()], |row| row.get(0))?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest)?;
    write.statement(INSERT_RESTS_OF)?.execute([workspace.raw()])?;
    write.statement(DELETE_OF)?.execute([workspace.raw()])?;
    Ok(())
}

pub(crate) fn is_wanted(write: &Write<'_>) -> Result<bool, Failure> {
    exists(write.connection, ANY_REST, [])
}

/// Removes up to [`UPKEEP_ROWS_MAX`] rows of the plan of one job that has ended.
pub(crate) fn step(write: &Write<'_>) -> Result<(), Failure> {
    let first = |row: &Row<'_>| Fields::new(row, "replay_rest", 1).integer("replay");
    let Some(replay) = fetch_one(write.connection, SELECT_REST, [], first)? else { return Ok(()) };
    let removed = write.statement(DELETE_PLANNED)?.execute([replay, limit(UPKEEP_ROWS_MAX)])?;
    if removed < UPKEEP_ROWS_MAX {
        write.statement(DELETE_REST)?.execute([replay])?;
    }
    Ok(())
}
