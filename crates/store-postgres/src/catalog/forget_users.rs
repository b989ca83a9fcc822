//! Sessions that have expired, and rights of users that did so long ago, go; a part of upkeep.

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_core::user::forgotten_since;
use signalpost_store::row::right_key;

use super::revoke_right;
use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

/// Where one is moving its users must stay: their names are taken in the other cell.
pub(crate) const SELECT_RIGHTS: &str = "SELECT id, \"user\" FROM user_right r WHERE expires_at <= $1
        AND NOT EXISTS (SELECT 1 FROM moving v WHERE v.workspace = r.workspace OFFSET 0)
    ORDER BY expires_at, id LIMIT $2";
/// One that was replaced meanwhile stays.
pub(crate) const DELETE_SESSIONS: &str = "DELETE FROM session
    WHERE \"user\" IN (SELECT \"user\" FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
        AND expires_at <= $1";
/// A right may go with its user and a session: three rows.
const RIGHTS_MAX: usize = UPKEEP_ROWS_MAX / 3;

/// One bounded step; `true` when there may be more. Nothing changes the end of a right, so what is found before the users
/// are locked holds behind that.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let since = forgotten_since(now).as_ms();
    let rights = write.all(SELECT_RIGHTS, &[&since, &limit(RIGHTS_MAX)], right_key).await?;
    revoke_right::remove(write, &rights).await?;
    let sessions = write.execute(DELETE_SESSIONS, &[&now.as_ms(), &limit(UPKEEP_ROWS_MAX)]).await?;
    Ok(usize::try_from(sessions).is_ok_and(|sessions| sessions == UPKEEP_ROWS_MAX)
        || rights.len() == RIGHTS_MAX)
}
