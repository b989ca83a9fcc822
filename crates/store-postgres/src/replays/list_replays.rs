//! `list_replays`: those of one workspace, newest first.

use signalpost_core::replay::Replay;
use signalpost_store::replays::ListReplays;
use signalpost_store::row::{self, replay_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r WHERE r.workspace = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3"
);

pub(super) async fn run(session: &Session, params: ListReplays) -> Result<Vec<Replay>, Failure> {
    let before = params.before.map_or(i64::MAX, |before| before.raw());
    session.all(SELECT, &[&params.workspace.raw(), &before, &limit(params.limit)], row::replay).await
}
