//! Removes calls that have been kept for as long as an idempotency key has a meaning.
//!
//! Rows stand in order of arrival, so those that expire first stand first. A row that a clock dated wrongly is found
//! expired too once it is, and holds back nothing but itself while fewer than a step's rows are like it.

use rusqlite::params;
use signalpost_core::idempotency::is_kept;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::row::Fields;
use crate::write::Write;

pub(crate) const SELECT_OLDEST: &str = "SELECT id, at FROM once ORDER BY id LIMIT ?1";
pub(crate) const DELETE: &str = "DELETE FROM once WHERE id = ?1";

/// Looks at the oldest [`UPKEEP_ROWS_MAX`] rows; `true` when all of them had expired, so that there may be more.
pub(super) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let rows = fetch_all(write.connection, SELECT_OLDEST, params![limit(UPKEEP_ROWS_MAX)], |row| {
        let mut fields = Fields::new(row, "once", 1);
        Ok((fields.integer("id")?, fields.time("at")?))
    })?;
    let mut delete = write.statement(DELETE)?;
    let mut expired = 0;
    for (id, _) in rows.iter().filter(|(_, at)| !is_kept(*at, now)) {
        delete.execute([id])?;
        expired += 1;
    }
    Ok(expired == UPKEEP_ROWS_MAX)
}
