//! `revoke_operator_key`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorKeyId;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_key WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, key: OperatorKeyId) -> Result<(), Failure> {
    // Deleting nothing is no write, so this is still a decision before the first one.
    if write.statement(DELETE)?.execute([key.raw()])? == 0 {
        return Err(StoreError::Missing("operator key").into());
    }
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, key.raw())
}
