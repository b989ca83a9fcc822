//! `delete_operator_account`: the row goes with its sessions, its id is remembered as used.

use signalpost_core::id::OperatorAccountId;
use signalpost_core::operator_session::Opener;

use super::{MISSING_ACCOUNT, end_operator_session, operator_account};
use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_account WHERE id = ?1";

pub(super) fn run(write: &Write<'_>, account: OperatorAccountId) -> Result<(), Failure> {
    if operator_account::run(write.connection, account)?.is_none() {
        return Err(MISSING_ACCOUNT.into());
    }
    write.statement(DELETE)?.execute([account.raw()])?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, account.raw())?;
    end_operator_session::remove_all_of(write, Opener::Account(account))
}
