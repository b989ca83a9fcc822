//! `operator_account` and `list_operator_accounts`.

use rusqlite::{Connection, params};
use signalpost_core::id::OperatorAccountId;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_store::desk::{ListOperatorAccounts, OperatorLogin};
use signalpost_store::row::{self, operator_account_columns};

use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one, limit};

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_account_columns!(), ", password FROM operator_account WHERE id = ?1");
pub(crate) const SELECT_BY_NAME: &str =
    concat!("SELECT ", operator_account_columns!(), ", password FROM operator_account WHERE username = ?1");
pub(crate) const SELECT_ALL: &str = concat!(
    "SELECT ",
    operator_account_columns!(),
    " FROM operator_account WHERE id > ?1 ORDER BY id LIMIT ?2"
);

pub(super) fn run(
    connection: &Connection,
    account: OperatorAccountId,
) -> Result<Option<OperatorLogin>, Failure> {
    fetch_one(connection, SELECT, [account.raw()], row::operator_login)
}

pub(super) fn by_name(connection: &Connection, username: &str) -> Result<Option<OperatorLogin>, Failure> {
    fetch_one(connection, SELECT_BY_NAME, [username], row::operator_login)
}

pub(super) fn list(
    connection: &Connection,
    params: ListOperatorAccounts,
) -> Result<Vec<OperatorAccount>, Failure> {
    let ListOperatorAccounts { after, limit: rows } = params;
    let after = after.map_or(i64::MIN, |after| after.raw());
    fetch_all(connection, SELECT_ALL, params![after, limit(rows)], row::operator_account)
}
