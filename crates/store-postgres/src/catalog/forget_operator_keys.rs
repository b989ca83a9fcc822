//! Removing operator keys that expired long ago: a part of `upkeep`.

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::operator_key::forgotten_since;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use super::revoke_operator_key;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::limit;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT id, workspace FROM operator_key
    WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2";

/// One bounded step; `true` when there may be more. An end that has passed is never put off, so what is found before the
/// locks are taken holds behind them.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let since = forgotten_since(now).as_ms();
    let found = write
        .all(SELECT, &[&since, &limit(UPKEEP_ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "operator_key", 1);
            Ok((fields.integer("id")?, fields.optional_id("workspace")?.map(WorkspaceId::from_raw)))
        })
        .await?;
    let (ids, bindings): (Vec<i64>, Vec<Option<WorkspaceId>>) = found.into_iter().unzip();
    if ids.is_empty() {
        return Ok(false);
    }
    write.lock_all(&bindings.into_iter().map(Locked::OperatorKeys).collect::<Vec<_>>()).await?;
    revoke_operator_key::remove(write, &ids).await?;
    Ok(ids.len() == UPKEEP_ROWS_MAX)
}
