//! Ending jobs that nobody has started or resumed in time, and forgetting those that ended long ago: parts of `upkeep`.

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, forgotten_since, idle_since};
use signalpost_core::time::Timestamp;
use signalpost_store::row::{self, Fields, replay_columns};

use super::end;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::meta;
use crate::session::limit;
use crate::write::Write;

pub(crate) const SELECT_IDLE: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r WHERE r.phase IN ('planned', 'paused') AND r.changed_at <= $1
        AND NOT EXISTS (SELECT 1 FROM moving v WHERE v.workspace = r.workspace OFFSET 0)
    LIMIT $2"
);
/// Those of these that still are.
pub(crate) const SELECT_STILL_IDLE: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM unnest($2::bigint[]) AS k JOIN replay r ON r.id = k
     WHERE r.phase IN ('planned', 'paused') AND r.changed_at <= $1"
);
/// No command changes a job that has ended.
pub(crate) const DELETE_ENDED: &str = "DELETE FROM replay WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM replay WHERE phase IN ('done', 'cancelled') AND changed_at <= $1 LIMIT $2))
    RETURNING id";

/// One bounded step; `true` when there may be more. Locks the workspaces of what is idle.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    // First, for its locks.
    let idle = end_idle(write, now).await?;
    let since = forgotten_since(now).as_ms();
    let ended = write
        .all(DELETE_ENDED, &[&since, &limit(UPKEEP_ROWS_MAX)], |row| {
            Fields::new(row, "replay", 1).integer("id")
        })
        .await?;
    if let Some(newest) = ended.iter().max() {
        meta::raise(write, meta::HIGHEST_DELETED_ID, *newest).await?;
    }
    Ok(ended.len() == UPKEEP_ROWS_MAX || idle == UPKEEP_ROWS_MAX)
}

/// How many were found.
async fn end_idle(write: &mut Write<'_>, now: Timestamp) -> Result<usize, Failure> {
    let since = idle_since(now).as_ms();
    let found = write.all(SELECT_IDLE, &[&since, &limit(UPKEEP_ROWS_MAX)], row::replay).await?;
    if found.is_empty() {
        return Ok(0);
    }
    let locked: Vec<Locked> = found.iter().map(|replay| Locked::Workspace(replay.workspace)).collect();
    write.lock_moving_too(&locked).await?;
    // The plan of one that is moving is being copied.
    let staying = found.iter().filter(|replay| !write.is_moving(replay.workspace));
    let ids: Vec<i64> = staying.map(|replay| replay.id.raw()).collect();
    for mut replay in write.all(SELECT_STILL_IDLE, &[&since, &ids], row::replay).await? {
        replay.change(Phase::Cancelled(CancelReason::Forgotten), Principal::Engine, now);
        end::save(write, replay).await?;
    }
    Ok(found.len())
}
