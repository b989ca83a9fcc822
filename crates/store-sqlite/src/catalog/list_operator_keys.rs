//! `list_operator_keys`: oldest first.

use rusqlite::{Connection, params};
use signalpost_core::operator_key::OperatorKey;
use signalpost_store::catalog::ListOperatorKeys;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row;
use signalpost_store::row::operator_key_columns;

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE id > ?1 ORDER BY id LIMIT ?2");
pub(crate) const SELECT_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    operator_key_columns!(),
    " FROM operator_key WHERE workspace = ?3 AND id > ?1 ORDER BY id LIMIT ?2"
);

pub(super) fn run(connection: &Connection, params: ListOperatorKeys) -> Result<Vec<OperatorKey>, Failure> {
    let ListOperatorKeys { workspace, after, limit: rows } = params;
    let after = after.map_or(i64::MIN, |after| after.raw());
    let rows = limit(rows);
    match workspace {
        None => fetch_all(connection, SELECT, params![after, rows], row::operator_key),
        Some(workspace) => {
            let values = params![after, rows, workspace.raw()];
            fetch_all(connection, SELECT_OF_WORKSPACE, values, row::operator_key)
        }
    }
}
