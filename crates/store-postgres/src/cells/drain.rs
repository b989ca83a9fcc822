//! Attempts that were in flight when the source was marked: their outcomes are waited for, for a time, and refused afterwards.

use std::time::Duration;

use signalpost_core::id::WebhookId;
use signalpost_core::lane_group::LaneGroup;
use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};

use super::{Move, MoveError, Parts, Phase, UPDATE_PHASE, mark, phase};
use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::pool::Pool;
use crate::session::Session;
use crate::shell;
use crate::work::{read, transact};
use crate::write::Write;

/// What is in flight is owed at a time that has come.
pub(super) const ANY_DUE: &str =
    "SELECT 1 FROM moving_part p JOIN webhook h ON h.id = p.id AND h.disabled_at IS NULL
    CROSS JOIN LATERAL (SELECT 1 FROM due d WHERE d.webhook = p.id AND d.due_at <= $2 LIMIT 1) AS d
    WHERE p.move = $1 AND p.kind = 'webhook' LIMIT 1";
pub(super) const SELECT_LONGEST: &str = "SELECT coalesce(max(coalesce(h.timeout_ms, w.timeout_ms, $2)), 0)::bigint
    FROM moving v JOIN workspace w ON w.id = v.workspace JOIN webhook h ON h.workspace = w.id AND h.deleted_at IS NULL
    WHERE v.move = $1";
/// A sweep that began before the mark has this lock to its end.
pub(super) const AWAIT_SWEEPS: &str = "SELECT s.webhook FROM moving_part p JOIN sweep s ON s.webhook = p.id
    WHERE p.move = $1 AND p.kind = 'webhook' FOR UPDATE OF s";
pub(super) const SELECT_UNBLOCKED: &str =
    "SELECT u.webhook FROM moving_part p JOIN unblock u ON u.webhook = p.id
    WHERE p.move = $1 AND p.kind = 'webhook'";
pub(super) const SELECT_PARTS: &str = "SELECT kind, id FROM moving_part WHERE move = $1 ORDER BY kind, id";

/// Returns when nothing of these is in flight, as far as can be seen, or after the longest that an attempt takes; `usual` where
/// nobody says otherwise.
pub(super) async fn wait(pool: &Pool, moving: i64, usual: Duration) -> Result<(), StoreError> {
    let since = pool.shared.clock.now().as_ms();
    let usual_ms = i64::try_from(usual.as_millis()).unwrap_or(i64::MAX);
    let longest_ms =
        read(pool, async |session| session.number(SELECT_LONGEST, &[&moving, &usual_ms]).await).await?;
    let longest = Duration::from_millis(longest_ms.unsigned_abs());
    let waiting = async {
        while read(pool, async |session| session.exists(ANY_DUE, &[&moving, &since]).await).await? {
            shell::pause().await;
        }
        Ok(())
    };
    shell::within(longest, waiting).await.unwrap_or(Ok(()))
}

/// From here on nothing of these workspaces' events changes in the source.
pub(super) async fn begin_copying(pool: &Pool, moving: &Move) -> Result<Result<(), MoveError>, StoreError> {
    let work = async |write: &mut Write<'_>| try_begin(write, moving).await;
    transact(pool, &work).await
}

async fn try_begin(write: &mut Write<'_>, moving: &Move) -> Result<Result<(), MoveError>, Failure> {
    let lane = |row: &Row<'_>| Fields::new(row, "unblock", 1).id("webhook").map(WebhookId::from_raw);
    let unblocked = write.all(SELECT_UNBLOCKED, &[&moving.id], lane).await?;
    let lanes = unblocked.into_iter().map(Locked::Order);
    write.lock_moving_too(&moving.locks().into_iter().chain(lanes).collect::<Vec<_>>()).await?;
    // Behind these nobody writes an outcome that has not seen what is written here.
    let groups: Vec<Locked> = LaneGroup::all().map(Locked::LaneGroup).collect();
    locks::take(write, write.shared.schema_key, &groups).await?;
    write.execute(AWAIT_SWEEPS, &[&moving.id]).await?;
    if phase(write, moving.id).await? != Some(Phase::Refusing) {
        return Err(StoreError::WrongState("the move was given up").into());
    }
    if let Some(shared) = mark::shared(write, &moving.ids()).await? {
        return Ok(Err(shared));
    }
    write.execute(UPDATE_PHASE, &[&moving.id, &Phase::Copying.name()]).await?;
    Ok(Ok(()))
}

pub(super) async fn parts(session: &Session, moving: i64) -> Result<Parts, Failure> {
    let mut parts = Parts::default();
    let found = session
        .all(SELECT_PARTS, &[&moving], |row| {
            let mut fields = Fields::new(row, "moving_part", 2);
            Ok((fields.text("kind")?.to_owned(), fields.integer("id")?))
        })
        .await?;
    for (kind, id) in found {
        match kind.as_str() {
            "webhook" => parts.webhooks.push(id),
            "replay" => parts.replays.push(id),
            _ => parts.users.push(id),
        }
    }
    Ok(parts)
}
