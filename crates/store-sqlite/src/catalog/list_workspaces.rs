//! `list_workspaces`: the living ones, oldest first.

use rusqlite::{Connection, params};
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::ListWorkspaces;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row;
use signalpost_store::row::workspace_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM workspace w WHERE w.id > ?1 AND w.erased_at IS NULL ORDER BY w.id LIMIT ?2"
);

pub(super) fn run(connection: &Connection, params: &ListWorkspaces) -> Result<Vec<Workspace>, Failure> {
    let after = params.after.map_or(i64::MIN, |after| after.raw());
    fetch_all(connection, SELECT, params![after, limit(params.limit)], row::workspace)
}
