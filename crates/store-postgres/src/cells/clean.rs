//! Removing from the target what has come of a move that was given up, in bounded steps. In the end nothing of it is left but ids
//! that were counted as used.

use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};

use super::{Move, forget};
use crate::failure::Failure;
use crate::pool::Pool;
use crate::replays::end::DELETE_PLANNED;
use crate::retention::rest::{self, DELETE_CUTS, DELETE_FEED};
use crate::rollups::forget_figures;
use crate::session::{Session, limit};
use crate::work::transact;
use crate::write::Write;

pub(super) const SELECT_PARTS: &str =
    "SELECT id FROM moving_part WHERE move = $1 AND kind = $2 ORDER BY id LIMIT $3";
pub(super) const DELETE_PARTS: &str =
    "DELETE FROM moving_part WHERE move = $1 AND kind = $2 AND id = ANY($3::bigint[])";
/// Users of the move alone: whoever was here before would have refused them.
pub(super) const DELETE_USERS: &str = "DELETE FROM \"user\" u WHERE u.id = ANY($1::bigint[])
    AND NOT EXISTS (SELECT 1 FROM user_right r WHERE r.user = u.id)";

/// Rows of one kind that go in one transaction, and parts that are emptied together.
const ROWS_MAX: usize = 64;

pub(super) async fn run(pool: &Pool, moving: &Move) -> Result<(), StoreError> {
    let step = async |write: &mut Write<'_>| step(write, moving).await;
    while transact(pool, &step).await? {}
    Ok(())
}

/// Removes some rows of the first kind of which there are any; `false` when nothing is left.
async fn step(write: &mut Write<'_>, moving: &Move) -> Result<bool, Failure> {
    write.lock_moving_too(&moving.locks()).await?;
    for (workspace, _) in &moving.workspaces {
        if write.execute(DELETE_FEED, &[&workspace.raw(), &limit(ROWS_MAX)]).await? > 0
            || rest::remove_events(write, *workspace).await? > 0
            || forget_figures::of_erased(write, *workspace, ROWS_MAX).await? > 0
        {
            return Ok(true);
        }
    }
    let webhooks = parts(write, moving.id, "webhook").await?;
    if !webhooks.is_empty() {
        if rest::empty(write, &webhooks).await? == 0 {
            write.execute(DELETE_CUTS, &[&webhooks]).await?;
            write.execute(DELETE_PARTS, &[&moving.id, &"webhook", &webhooks]).await?;
        }
        return Ok(true);
    }
    if let Some(replay) = parts(write, moving.id, "replay").await?.first() {
        if write.execute(DELETE_PLANNED, &[replay, &limit(ROWS_MAX)]).await? == 0 {
            write.execute(DELETE_PARTS, &[&moving.id, &"replay", &vec![*replay]]).await?;
        }
        return Ok(true);
    }
    let users = parts(write, moving.id, "user").await?;
    if !users.is_empty() {
        write.execute(DELETE_USERS, &[&users]).await?;
        write.execute(DELETE_PARTS, &[&moving.id, &"user", &users]).await?;
        return Ok(true);
    }
    forget(write, moving.id).await?;
    Ok(false)
}

async fn parts(session: &Session, moving: i64, kind: &str) -> Result<Vec<i64>, Failure> {
    let id = |row: &Row<'_>| Fields::new(row, "moving_part", 0).integer("id");
    session.all(SELECT_PARTS, &[&moving, &kind, &limit(ROWS_MAX)], id).await
}
