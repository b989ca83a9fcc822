//! `operator_account` and `list_operator_accounts`.

use signalpost_core::operator_account::OperatorAccount;
use signalpost_store::desk::{ListOperatorAccounts, OperatorLogin};
use signalpost_store::row::{self, operator_account_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT_BY_NAME: &str =
    concat!("SELECT ", operator_account_columns!(), ", password FROM operator_account WHERE username = $1");
pub(crate) const SELECT_ALL: &str = concat!(
    "SELECT ",
    operator_account_columns!(),
    " FROM operator_account WHERE id > $1 ORDER BY id LIMIT $2"
);

pub(super) async fn by_name(session: &Session, username: &str) -> Result<Option<OperatorLogin>, Failure> {
    session.one(SELECT_BY_NAME, &[&username], row::operator_login).await
}

pub(super) async fn list(
    session: &Session,
    params: ListOperatorAccounts,
) -> Result<Vec<OperatorAccount>, Failure> {
    let ListOperatorAccounts { after, limit: rows } = params;
    let after = after.map_or(i64::MIN, |after| after.raw());
    session.all(SELECT_ALL, &[&after, &limit(rows)], row::operator_account).await
}
