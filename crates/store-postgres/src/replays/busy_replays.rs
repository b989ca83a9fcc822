//! `busy_replays`: what is being planned or runs, whoever's it is, unless that is moving.

use signalpost_core::replay::Replay;
use signalpost_store::replays::BusyReplays;
use signalpost_store::row::{self, replay_columns};

use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    replay_columns!(),
    " FROM replay r WHERE r.phase IN ('planning', 'running') AND r.id > $1
        AND NOT EXISTS (SELECT 1 FROM moving v WHERE v.workspace = r.workspace OFFSET 0)
    ORDER BY r.id LIMIT $2"
);

pub(super) async fn run(session: &Session, params: BusyReplays) -> Result<Vec<Replay>, Failure> {
    let after = params.after.map_or(i64::MIN, |after| after.raw());
    session.all(SELECT, &[&after, &limit(params.limit)], row::replay).await
}
