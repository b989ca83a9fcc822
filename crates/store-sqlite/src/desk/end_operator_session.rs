//! `end_operator_session`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorSessionId;

use super::MISSING_SESSION;
use crate::failure::Failure;
use crate::fetch::exists;
use crate::meta;
use crate::write::Write;

pub(crate) const EXISTS: &str = "SELECT 1 FROM operator_session WHERE id = ?1";
pub(crate) const DELETE: &str = "DELETE FROM operator_session WHERE id = ?1";

pub(super) fn run(write: &Write<'_>, session: OperatorSessionId) -> Result<(), Failure> {
    if !exists(write.connection, EXISTS, [session.raw()])? {
        return Err(MISSING_SESSION.into());
    }
    remove(write, session.raw())
}

/// One that is there.
pub(super) fn remove(write: &Write<'_>, id: i64) -> Result<(), Failure> {
    write.statement(DELETE)?.execute([id])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, id)
}
