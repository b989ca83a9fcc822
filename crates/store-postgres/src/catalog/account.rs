//! `account`: what a login needs.

use signalpost_store::catalog::Account;
use signalpost_store::row;
use signalpost_store::row::user_columns;

use super::away::{HAS_ACCOUNT_AWAY, or_away};
use super::user;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", u.password FROM \"user\" u WHERE u.dialect = $1 AND u.username = $2"
);

pub(super) async fn run(
    session: &Session,
    dialect: &str,
    username: &str,
) -> Result<Option<Account>, Failure> {
    let found = session.one(SELECT, &[&dialect, &username], row::user_with_password).await?;
    let Some((user, password)) = found else { return Ok(None) };
    let rights = user::rights(session, user.id).await?;
    let account = (!rights.is_empty()).then_some(Account { user, password, rights });
    or_away(session, account, (HAS_ACCOUNT_AWAY, &[&dialect, &username])).await
}
