//! `delete_operator_account`: the row goes with its sessions, its id is remembered as used.

use signalpost_core::id::OperatorAccountId;
use signalpost_core::operator_session::Opener;
use signalpost_store::change::Change;

use super::{MISSING_ACCOUNT, end_operator_session};
use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_account WHERE id = $1";

pub(super) async fn run(write: &mut Write<'_>, account: OperatorAccountId) -> Result<(), Failure> {
    if write.execute(DELETE, &[&account.raw()]).await? == 0 {
        return Err(MISSING_ACCOUNT.into());
    }
    meta::raise(write, meta::HIGHEST_DELETED_ID, account.raw()).await?;
    end_operator_session::remove_all_of(write, Opener::Account(account)).await?;
    write.note_change(Change::OperatorAccount(account));
    Ok(())
}
