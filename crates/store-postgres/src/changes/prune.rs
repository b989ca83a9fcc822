//! Removing changes that everybody has read, or will never read: whoever comes so late forgets all that it knows.

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::{Session, limit};
use crate::work;
use crate::write::Write;

/// The newest stays, see the schema.
pub(crate) const DELETE: &str = "DELETE FROM change
    WHERE n IN (SELECT n FROM (SELECT n, at FROM change ORDER BY n LIMIT $1) AS oldest
            WHERE at < now() - interval '1 hour')
        AND n < (SELECT n FROM change ORDER BY n DESC LIMIT 1)";

/// One bounded step; `true` when there may be more.
pub(crate) async fn prune(pool: &Pool) -> Result<bool, StoreError> {
    work::transact(pool, &async |write: &mut Write<'_>| step(write).await).await
}

pub(super) async fn step(session: &Session) -> Result<bool, Failure> {
    let gone = session.execute(DELETE, &[&limit(UPKEEP_ROWS_MAX)]).await?;
    Ok(usize::try_from(gone).is_ok_and(|gone| gone == UPKEEP_ROWS_MAX))
}
