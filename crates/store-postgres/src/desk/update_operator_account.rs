//! `update_operator_account`: its sessions end with the change.

use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::Opener;
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;
use signalpost_store::change::Change;
use signalpost_store::desk::UpdateOperatorAccount;
use signalpost_store::row::{self, operator_account_columns};

use super::{MISSING_ACCOUNT, end_operator_session};
use crate::failure::Failure;
use crate::write::Write;

/// Goes before the sessions: one that is being opened with the former password is waited for, and ends with the others.
pub(crate) const UPDATE: &str = concat!(
    "UPDATE operator_account SET role = coalesce($2, role), password = coalesce($3, password), updated_at = $4
    WHERE id = $1 RETURNING ",
    operator_account_columns!()
);

pub(super) async fn run(
    write: &mut Write<'_>,
    params: &UpdateOperatorAccount,
) -> Result<OperatorAccount, Failure> {
    let UpdateOperatorAccount { account: id, role, password, at } = params;
    let (role, password) = (role.map(Role::name), password.as_ref().map(PasswordHash::as_phc));
    let changed =
        write.one(UPDATE, &[&id.raw(), &role, &password, &at.as_ms()], row::operator_account).await?;
    let changed = changed.ok_or(MISSING_ACCOUNT)?;
    end_operator_session::remove_all_of(write, Opener::Account(*id)).await?;
    write.note_change(Change::OperatorAccount(*id));
    Ok(changed)
}
