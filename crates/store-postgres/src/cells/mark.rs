//! The beginning in the source: from here on its nodes accept nothing for these workspaces, and begin no attempt.
//!
//! It is made at a moment at which no tables of old events are departing: whatever departs later leaves these workspaces' events as
//! they are, and counts nothing of them.

use signalpost_core::retention::RetentionRules;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::row::{Fields, Row};

use super::{Move, MoveError, Phase, insert};
use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::pool::Pool;
use crate::session::Session;
use crate::shell;
use crate::spans::{self, HeldUp, Stepped};
use crate::work::transact;
use crate::write::Write;

pub(super) const SELECT_LIVING: &str = "SELECT count(*) FROM head h JOIN workspace w ON w.id = h.workspace
    WHERE h.workspace = ANY($1::bigint[]) AND w.erased_at IS NULL";
pub(super) const SELECT_SHARED: &str = "SELECT u.username, m.public_id, w.public_id FROM user_right r
    JOIN user_right o ON o.user = r.user AND o.workspace <> ALL($1::bigint[])
    JOIN workspace w ON w.id = o.workspace AND w.erased_at IS NULL
    JOIN workspace m ON m.id = r.workspace JOIN \"user\" u ON u.id = r.user
    WHERE r.workspace = ANY($1::bigint[]) LIMIT 1";
/// Of jobs that have ended no plan is copied.
pub(super) const INSERT_PARTS: &str = "INSERT INTO moving_part (kind, id, move)
    SELECT 'webhook', h.id, $2::bigint FROM webhook h WHERE h.workspace = ANY($1::bigint[])
    UNION ALL SELECT 'replay', r.id, $2 FROM replay r
        WHERE r.workspace = ANY($1::bigint[]) AND r.phase NOT IN ('done', 'cancelled')
    UNION ALL SELECT DISTINCT 'user', r.user, $2 FROM user_right r WHERE r.workspace = ANY($1::bigint[])";

/// What a try has come to.
enum Tried {
    Marked,
    Refused(MoveError),
    /// Tables depart.
    Departing,
}

/// Returns when no node acts on what was before.
pub(super) async fn run(
    pool: &Pool,
    moving: &Move,
    other: &str,
    rules: &RetentionRules,
) -> Result<Result<(), MoveError>, StoreError> {
    let work = async |write: &mut Write<'_>| try_mark(write, moving, other).await;
    let mut held_up = HeldUp::default();
    loop {
        match transact(pool, &work).await? {
            Tried::Marked => return Ok(Ok(())),
            Tried::Refused(error) => return Ok(Err(error)),
            // It goes on whether or not a node has time for it.
            Tried::Departing => {
                let now = pool.shared.clock.now();
                if !matches!(spans::step(pool, now, rules, &mut held_up).await?, Stepped::Done(_)) {
                    shell::pause().await;
                }
            }
        }
    }
}

async fn try_mark(write: &mut Write<'_>, moving: &Move, other: &str) -> Result<Tried, Failure> {
    write.lock_moving_too(&moving.locks()).await?;
    let is_free = locks::try_take(write, write.shared.schema_key, Locked::Spans).await?;
    if !is_free || spans::is_under_way(write).await? {
        return Ok(Tried::Departing);
    }
    let ids = moving.ids();
    // Somebody may have erased one, or have begun to move it.
    let living = write.number(SELECT_LIVING, &[&ids]).await?;
    if living != i64::try_from(ids.len()).unwrap_or(i64::MAX) {
        return Ok(Tried::Refused(MoveError::Unknown(moving.public_ids().join(", "))));
    }
    if let Some(shared) = shared(write, &ids).await? {
        return Ok(Tried::Refused(shared));
    }
    insert(write, moving, Phase::Refusing, other).await?;
    write.execute(INSERT_PARTS, &[&ids, &moving.id]).await?;
    for (workspace, _) in &moving.workspaces {
        write.note_change(Change::Workspace(*workspace));
    }
    Ok(Tried::Marked)
}

/// A user of these workspaces who has a right on one that stays.
pub(super) async fn shared(session: &Session, workspaces: &[i64]) -> Result<Option<MoveError>, Failure> {
    let shared = |row: &Row<'_>| {
        let mut fields = Fields::new(row, "user", 0);
        let mut text = |column| Ok::<_, StoreError>(fields.text(column)?.to_owned());
        let (user, moving) = (text("username")?, text("public_id")?);
        Ok(MoveError::Shared { user, moving, staying: text("public_id")? })
    };
    session.one(SELECT_SHARED, &[&workspaces], shared).await
}
