//! The beginning and the end in the target: the names are taken first, and with the last transaction the workspaces are there.

use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::row::{Field, Fields, Row};
use signalpost_store::transfer::Checksum;

use super::roots::{self, Roots};
use super::{Move, MoveError, Parts, Phase, forget, insert, phase};
use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::Session;
use crate::work::transact;
use crate::write::Write;

/// Whatever has one of these ids or names, and whether it is but the name of the same workspace.
pub(super) const SELECT_KNOWN: &str = "SELECT w.public_id,
        w.erased_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM unnest($1::bigint[], $2::text[]) AS k (id, public_id) WHERE k.id = w.id AND k.public_id = w.public_id),
        EXISTS (SELECT 1 FROM rest r WHERE r.workspace = w.id) OR EXISTS (SELECT 1 FROM leaving l WHERE l.workspace = w.id)
    FROM workspace w WHERE w.id = ANY($1::bigint[]) OR w.public_id = ANY($2::text[])";
pub(super) const INSERT_PARTS: &str = "INSERT INTO moving_part (kind, id, move)
    SELECT 'webhook', k, $4::bigint FROM unnest($1::bigint[]) AS k
    UNION ALL SELECT 'replay', k, $4 FROM unnest($2::bigint[]) AS k
    UNION ALL SELECT 'user', k, $4 FROM unnest($3::bigint[]) AS k ON CONFLICT DO NOTHING";
/// Nothing is left of it but this row and its last place, and it comes back.
pub(super) const DELETE_TOMBSTONES: &str =
    "DELETE FROM workspace WHERE id = ANY($1::bigint[]) AND erased_at IS NOT NULL";
pub(super) const DELETE_PLACES: &str = "DELETE FROM place WHERE workspace = ANY($1::bigint[])";

/// What stands in the way of a workspace.
struct Known {
    public_id: String,
    is_tombstone: bool,
    has_rest: bool,
}

/// Takes the names, so that nobody else has them when the workspaces come.
pub(super) async fn expect(
    pool: &Pool,
    moving: &Move,
    (other, cell): (&str, &str),
) -> Result<Result<(), MoveError>, StoreError> {
    let work = async |write: &mut Write<'_>| {
        write.lock_moving_too(&moving.locks()).await?;
        if phase(write, moving.id).await?.is_some() {
            return Ok(Ok(()));
        }
        let known = write.all(SELECT_KNOWN, &[&moving.ids(), &moving.public_ids()], known).await?;
        if let Some(Known { public_id, is_tombstone, .. }) =
            known.into_iter().find(|known| !known.is_tombstone || known.has_rest)
        {
            let cell = cell.to_owned();
            return Ok(Err(match is_tombstone {
                true => MoveError::RestLeft { public_id, cell },
                false => MoveError::Known { public_id, cell },
            }));
        }
        insert(write, moving, Phase::Arriving, other).await?;
        Ok(Ok(()))
    };
    transact(pool, &work).await
}

fn known(row: &Row<'_>) -> Field<Known> {
    let mut fields = Fields::new(row, "workspace", 1);
    let public_id = fields.text("public_id")?.to_owned();
    let is_tombstone = fields.integer("erased_at")? != 0;
    Ok(Known { public_id, is_tombstone, has_rest: fields.integer("rest")? != 0 })
}

/// Notes what the rows hang on that are about to come: nobody else looks at them, and a move that is given up finds them.
pub(super) async fn expect_parts(pool: &Pool, moving: &Move, parts: &Parts) -> Result<(), StoreError> {
    let work = async |write: &mut Write<'_>| {
        check(write, moving.id).await?;
        let Parts { webhooks, replays, users } = parts;
        write.execute(INSERT_PARTS, &[webhooks, replays, users, &moving.id]).await?;
        Ok(())
    };
    transact(pool, &work).await
}

async fn check(session: &Session, moving: i64) -> Result<(), Failure> {
    match phase(session, moving).await? {
        Some(Phase::Arriving) => Ok(()),
        _ => Err(StoreError::WrongState("the move was given up").into()),
    }
}

/// Does what [`show`] does and takes it back: whatever stands against it had better do so while the source can still keep them.
pub(super) async fn rehearse(pool: &Pool, moving: &Move, roots: &Roots) -> Result<(), StoreError> {
    let rehearsed = async {
        let session = pool.take().await?;
        let mut write = Write::begin(&session, &pool.shared).await?;
        let done = arrive(&mut write, moving, roots).await;
        write.roll_back().await;
        done.map(drop)
    };
    rehearsed.await.map_err(Failure::into_store_error)
}

/// The workspaces are here, and are served. What there is of each table of [`Roots`].
pub(super) async fn show(
    pool: &Pool,
    moving: &Move,
    roots: &Roots,
) -> Result<Vec<(&'static str, Checksum)>, StoreError> {
    let work = async |write: &mut Write<'_>| arrive(write, moving, roots).await;
    transact(pool, &work).await
}

async fn arrive(
    write: &mut Write<'_>,
    moving: &Move,
    roots: &Roots,
) -> Result<Vec<(&'static str, Checksum)>, Failure> {
    write.lock_moving_too(&moving.locks()).await?;
    check(write, moving.id).await?;
    let ids = moving.ids();
    for sql in [DELETE_TOMBSTONES, DELETE_PLACES] {
        write.execute(sql, &[&ids]).await?;
    }
    let sums = roots::write(write, &ids, roots).await?;
    forget(write, moving.id).await?;
    moving.workspaces.iter().for_each(|(workspace, _)| write.note_change(Change::Arrived(*workspace)));
    Ok(sums)
}
