//! Removing sessions that have expired: a part of `upkeep`.

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use super::remove;
use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

pub(crate) const SELECT: &str =
    "SELECT id FROM portal_session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";

/// One bounded step; `true` when there may be more. Nobody lets anybody in by them, whether or not other nodes know that
/// they are gone.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let ids = write
        .all(SELECT, &[&now.as_ms(), &limit(UPKEEP_ROWS_MAX)], |row| {
            Fields::new(row, "portal_session", 1).integer("id")
        })
        .await?;
    if ids.is_empty() {
        return Ok(false);
    }
    remove::these(write, &ids).await?;
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
