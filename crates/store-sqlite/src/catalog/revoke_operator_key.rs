//! `revoke_operator_key`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorKeyId;
use signalpost_store::StoreError;

use super::operator_key;
use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_key WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, key: OperatorKeyId) -> Result<(), Failure> {
    if operator_key::run(write.connection, key)?.is_none() {
        return Err(StoreError::Missing("operator key").into());
    }
    remove(write, key.raw())
}

/// One that is there.
pub(crate) fn remove(write: &Write<'_>, id: i64) -> Result<(), Failure> {
    write.statement(DELETE)?.execute([id])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, id)
}
