//! `account`: what a login needs.

use rusqlite::Connection;
use signalpost_store::catalog::Account;

use super::user;
use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row;
use signalpost_store::row::user_columns;

pub(crate) const SELECT: &str =
    concat!("SELECT ", user_columns!(), ", u.password FROM user u WHERE u.dialect = ?1 AND u.username = ?2");

pub(super) fn run(
    connection: &Connection,
    dialect: &str,
    username: &str,
) -> Result<Option<Account>, Failure> {
    let found = fetch_one(connection, SELECT, [dialect, username], row::user_with_password)?;
    let Some((user, password)) = found else { return Ok(None) };
    let rights = user::rights(connection, user.id)?;
    Ok((!rights.is_empty()).then_some(Account { user, password, rights }))
}
