//! Ending jobs that nobody has started or resumed in time, and forgetting those that ended long ago: parts of `upkeep`.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, forgotten_since, idle_since};
use signalpost_core::time::Timestamp;

use super::end;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::meta;
use crate::write::Write;
use signalpost_store::row::{self, Fields, replay_columns};

pub(crate) const SELECT_IDLE: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r WHERE r.phase IN ('planned', 'paused') AND r.changed_at <= ?1 LIMIT ?2"
);
pub(crate) const SELECT_ENDED: &str =
    "SELECT id FROM replay WHERE phase IN ('done', 'cancelled') AND changed_at <= ?1 LIMIT ?2";
pub(crate) const DELETE: &str = "DELETE FROM replay WHERE id = ?1";

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![forgotten_since(now).as_ms(), limit(UPKEEP_ROWS_MAX)];
    let ended =
        fetch_all(write.connection, SELECT_ENDED, values, |row| Fields::new(row, "replay", 1).integer("id"))?;
    for id in &ended {
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, *id)?;
        write.statement(DELETE)?.execute([id])?;
    }
    let values = params![idle_since(now).as_ms(), limit(UPKEEP_ROWS_MAX)];
    let idle = fetch_all(write.connection, SELECT_IDLE, values, row::replay)?;
    let full = ended.len() == UPKEEP_ROWS_MAX || idle.len() == UPKEEP_ROWS_MAX;
    for mut replay in idle {
        replay.change(Phase::Cancelled(CancelReason::Forgotten), Principal::Engine, now);
        end::save(write, replay)?;
    }
    Ok(full)
}
