//! Sessions that have expired, and rights of users that did so long ago, go; a part of upkeep.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::time::Timestamp;
use signalpost_core::user::forgotten_since;
use signalpost_store::row::right_key;

use super::revoke_right;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::write::Write;

pub(crate) const SELECT_RIGHTS: &str =
    "SELECT id, user FROM user_right WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2";
pub(crate) const DELETE_SESSIONS: &str = "DELETE FROM session
    WHERE user IN (SELECT user FROM session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
/// A right may go with its user and a session: three rows.
const RIGHTS_MAX: usize = UPKEEP_ROWS_MAX / 3;

/// One bounded step; `true` when there may be more.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![now.as_ms(), limit(UPKEEP_ROWS_MAX)];
    let sessions = write.statement(DELETE_SESSIONS)?.execute(values)?;
    let values = params![forgotten_since(now).as_ms(), limit(RIGHTS_MAX)];
    let rights = fetch_all(write.connection, SELECT_RIGHTS, values, right_key)?;
    for right in &rights {
        revoke_right::remove(write, *right)?;
    }
    Ok(sessions == UPKEEP_ROWS_MAX || rights.len() == RIGHTS_MAX)
}
