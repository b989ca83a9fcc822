//! Removing sessions that have expired: a part of `upkeep`.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::row::{Fields, Row};

use super::remove;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::write::Write;

pub(crate) const SELECT: &str =
    "SELECT id FROM portal_session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![now.as_ms(), limit(UPKEEP_ROWS_MAX)];
    let id = |row: &Row<'_>| Fields::new(row, "portal_session", 1).integer("id");
    let ids = fetch_all(write.connection, SELECT, values, id)?;
    for id in &ids {
        remove::one(write, *id)?;
    }
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
