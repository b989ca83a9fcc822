//! `update_operator_account`: its sessions end with the change.

use rusqlite::params;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::Opener;
use signalpost_store::desk::UpdateOperatorAccount;

use super::{MISSING_ACCOUNT, end_operator_session, operator_account};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str =
    "UPDATE operator_account SET role = ?2, password = ?3, updated_at = ?4 WHERE id = ?1";

pub(super) fn run(write: &Write<'_>, params: &UpdateOperatorAccount) -> Result<OperatorAccount, Failure> {
    let UpdateOperatorAccount { account: id, role, password, at } = params;
    let found = operator_account::run(write.connection, *id)?.ok_or(MISSING_ACCOUNT)?;
    let role = role.unwrap_or(found.account.role);
    let password = password.as_ref().unwrap_or(&found.password);
    write.statement(UPDATE)?.execute(params![id.raw(), role.name(), password.as_phc(), at.as_ms()])?;
    end_operator_session::remove_all_of(write, Opener::Account(*id))?;
    Ok(OperatorAccount { role, updated_at: *at, ..found.account })
}
