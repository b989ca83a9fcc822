//! `create_operator_account`.

use rusqlite::params;
use signalpost_core::limits::OPERATOR_ACCOUNTS_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::password::PasswordHash;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::fetch::{exists, limit};
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_account WHERE username = ?1";
/// The last account that there may be.
pub(crate) const IS_FULL: &str = "SELECT 1 FROM operator_account LIMIT 1 OFFSET ?1";
pub(crate) const INSERT: &str = "INSERT INTO operator_account
    (id, username, role, password, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) fn run(
    write: &mut Write<'_>,
    account: &OperatorAccount,
    password: &PasswordHash,
) -> Result<(), Failure> {
    if exists(write.connection, IS_TAKEN, [&account.username])? {
        return Err(StoreError::Taken("username").into());
    }
    if exists(write.connection, IS_FULL, [limit(OPERATOR_ACCOUNTS_MAX - 1)])? {
        let (what, limit) = ("operator accounts", OPERATOR_ACCOUNTS_MAX);
        return Err(StoreError::LimitReached { what, limit }.into());
    }
    write.statement(INSERT)?.execute(params![
        account.id.raw(),
        account.username,
        account.role.name(),
        password.as_phc(),
        account.created_at.as_ms(),
        account.updated_at.as_ms(),
    ])?;
    write.news.note_id(account.id.raw());
    Ok(())
}
