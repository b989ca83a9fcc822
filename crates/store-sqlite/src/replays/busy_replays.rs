//! `busy_replays`: what is being planned or runs, whoever's it is.

use rusqlite::Connection;
use signalpost_core::replay::Replay;
use signalpost_store::replays::BusyReplays;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row::{self, replay_columns};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r INDEXED BY replay_busy WHERE r.phase IN ('planning', 'running') AND r.id > ?1 ORDER BY r.id LIMIT ?2"
);

pub(super) fn run(connection: &Connection, params: BusyReplays) -> Result<Vec<Replay>, Failure> {
    let after = params.after.map_or(i64::MIN, |after| after.raw());
    fetch_all(connection, SELECT, [after, limit(params.limit)], row::replay)
}
