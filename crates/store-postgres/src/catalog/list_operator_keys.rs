//! `list_operator_keys`: oldest first.

use signalpost_core::operator_key::OperatorKey;
use signalpost_store::catalog::ListOperatorKeys;
use signalpost_store::row;
use signalpost_store::row::operator_key_columns;

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE id > $1 ORDER BY id LIMIT $2");
pub(crate) const SELECT_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    operator_key_columns!(),
    " FROM operator_key WHERE workspace = $3 AND id > $1 ORDER BY id LIMIT $2"
);

pub(super) async fn run(session: &Session, params: ListOperatorKeys) -> Result<Vec<OperatorKey>, Failure> {
    let ListOperatorKeys { workspace, after, limit: rows } = params;
    let after = after.map_or(i64::MIN, |after| after.raw());
    let rows = limit(rows);
    match workspace {
        None => session.all(SELECT, &[&after, &rows], row::operator_key).await,
        Some(workspace) => {
            session.all(SELECT_OF_WORKSPACE, &[&after, &rows, &workspace.raw()], row::operator_key).await
        }
    }
}
