//! `list_workspaces`: the living ones, oldest first.

use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::ListWorkspaces;
use signalpost_store::row;
use signalpost_store::row::workspace_columns;

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM workspace w WHERE w.id > $1 AND w.erased_at IS NULL ORDER BY w.id LIMIT $2"
);

pub(super) async fn run(session: &Session, params: &ListWorkspaces) -> Result<Vec<Workspace>, Failure> {
    let after = params.after.map_or(i64::MIN, |after| after.raw());
    session.all(SELECT, &[&after, &limit(params.limit)], row::workspace).await
}
