//! `create_operator_account`.

use signalpost_core::limits::OPERATOR_ACCOUNTS_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::password::PasswordHash;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::limit;
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_account WHERE username = $1";
/// The last account that there may be.
pub(crate) const IS_FULL: &str = "SELECT 1 FROM operator_account LIMIT 1 OFFSET $1";
pub(crate) const INSERT: &str = "INSERT INTO operator_account
    (id, username, role, password, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) async fn run(
    write: &mut Write<'_>,
    account: &OperatorAccount,
    password: &PasswordHash,
) -> Result<(), Failure> {
    write.lock_all(&[Locked::OperatorAccounts]).await?;
    if write.exists(IS_TAKEN, &[&account.username]).await? {
        return Err(StoreError::Taken("username").into());
    }
    if write.exists(IS_FULL, &[&limit(OPERATOR_ACCOUNTS_MAX - 1)]).await? {
        let (what, limit) = ("operator accounts", OPERATOR_ACCOUNTS_MAX);
        return Err(StoreError::LimitReached { what, limit }.into());
    }
    let OperatorAccount { id, username, role, created_at, updated_at } = account;
    let (created_at, updated_at) = (created_at.as_ms(), updated_at.as_ms());
    write
        .execute(INSERT, &[&id.raw(), username, &role.name(), &password.as_phc(), &created_at, &updated_at])
        .await?;
    write.news.note_id(id.raw());
    Ok(())
}
