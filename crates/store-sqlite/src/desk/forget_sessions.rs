//! Removing sessions that have expired: a part of `upkeep`.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use super::end_operator_session;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::write::Write;

pub(crate) const SELECT: &str =
    "SELECT id FROM operator_session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![now.as_ms(), limit(UPKEEP_ROWS_MAX)];
    let id = |row: &signalpost_store::row::Row<'_>| Fields::new(row, "operator_session", 1).integer("id");
    let ids = fetch_all(write.connection, SELECT, values, id)?;
    for id in &ids {
        end_operator_session::remove(write, *id)?;
    }
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
