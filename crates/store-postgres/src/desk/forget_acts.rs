//! Removing acts that are remembered no longer: a part of `upkeep`.

use signalpost_core::act::forgotten_since;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::meta;
use crate::session::limit;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_act
    WHERE id IN (SELECT id FROM operator_act WHERE at <= $1 ORDER BY at LIMIT $2) RETURNING id";

/// One bounded step; `true` when there may be more.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let since = forgotten_since(now).as_ms();
    let gone = write
        .all(DELETE, &[&since, &limit(UPKEEP_ROWS_MAX)], |row| {
            Fields::new(row, "operator_act", 1).integer("id")
        })
        .await?;
    if let Some(highest) = gone.iter().max() {
        meta::raise(write, meta::HIGHEST_DELETED_ID, *highest).await?;
    }
    Ok(gone.len() == UPKEEP_ROWS_MAX)
}
