//! Removing operator keys that expired long ago: a part of `upkeep`.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::operator_key::forgotten_since;
use signalpost_core::time::Timestamp;

use super::revoke_operator_key;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::write::Write;
use signalpost_store::row::Fields;

pub(crate) const SELECT: &str =
    "SELECT id FROM operator_key WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2";

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![forgotten_since(now).as_ms(), limit(UPKEEP_ROWS_MAX)];
    let ids =
        fetch_all(write.connection, SELECT, values, |row| Fields::new(row, "operator_key", 1).integer("id"))?;
    for id in &ids {
        revoke_operator_key::remove(write, *id)?;
    }
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
