//! `list_replays`: those of one workspace, newest first.

use rusqlite::{Connection, params};
use signalpost_core::replay::Replay;
use signalpost_store::replays::ListReplays;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row::{self, replay_columns};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r WHERE r.workspace = ?1 AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3"
);

pub(super) fn run(connection: &Connection, params: ListReplays) -> Result<Vec<Replay>, Failure> {
    let before = params.before.map_or(i64::MAX, |before| before.raw());
    let values = params![params.workspace.raw(), before, limit(params.limit)];
    fetch_all(connection, SELECT, values, row::replay)
}
