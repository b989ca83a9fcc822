//! `end_operator_session`: the row goes, its id is remembered as used.

use rusqlite::params;
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::Opener;
use signalpost_store::row::Fields;

use super::MISSING_SESSION;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all};
use crate::meta;
use crate::write::Write;

pub(crate) const EXISTS: &str = "SELECT 1 FROM operator_session WHERE id = ?1";
pub(crate) const SELECT_OF_OPENER: &str =
    "SELECT id FROM operator_session WHERE opener = ?1 AND opener_id = ?2";
pub(crate) const DELETE: &str = "DELETE FROM operator_session WHERE id = ?1";

pub(super) fn run(write: &Write<'_>, session: OperatorSessionId) -> Result<(), Failure> {
    if !exists(write.connection, EXISTS, [session.raw()])? {
        return Err(MISSING_SESSION.into());
    }
    remove(write, session.raw())
}

/// There are [`signalpost_core::limits::OPERATOR_SESSIONS_MAX`] at most.
pub(super) fn remove_all_of(write: &Write<'_>, opener: Opener) -> Result<(), Failure> {
    let (opener, opener_id) = opener.parts();
    let ids = fetch_all(write.connection, SELECT_OF_OPENER, params![opener, opener_id], |row| {
        Fields::new(row, "operator_session", 1).integer("id")
    })?;
    ids.into_iter().try_for_each(|id| remove(write, id))
}

/// One that is there.
pub(super) fn remove(write: &Write<'_>, id: i64) -> Result<(), Failure> {
    write.statement(DELETE)?.execute([id])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, id)
}
