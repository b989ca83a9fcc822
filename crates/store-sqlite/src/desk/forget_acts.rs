//! Removing acts that are remembered no longer: a part of `upkeep`.

use rusqlite::params;
use signalpost_core::act::forgotten_since;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::meta;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT id FROM operator_act WHERE at <= ?1 ORDER BY at LIMIT ?2";
pub(crate) const DELETE: &str = "DELETE FROM operator_act WHERE id = ?1";

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![forgotten_since(now).as_ms(), limit(UPKEEP_ROWS_MAX)];
    let ids =
        fetch_all(write.connection, SELECT, values, |row| Fields::new(row, "operator_act", 1).integer("id"))?;
    for id in &ids {
        write.statement(DELETE)?.execute([id])?;
    }
    if let Some(highest) = ids.iter().max() {
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, *highest)?;
    }
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
