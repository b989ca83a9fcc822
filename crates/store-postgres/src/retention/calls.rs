//! Answers kept for calls whose time is over.
//!
//! Rows stand in order of arrival, so those that expire first stand first. One that a clock has dated wrongly holds back
//! nothing but itself, while fewer than a page of them stand together.

use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::{is_kept, kept_bytes};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::row::{Field, Fields, Row};

use super::{Progress, Step};
use crate::catalog::once::{forget, returning};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::{Session, limit};
use crate::work::{read, transact};
use crate::write::Write;

pub(crate) const SELECT_OLDEST: &str =
    "SELECT id, workspace, at, coalesce(length(accepted), length(sealed), 0)
    FROM once WHERE id > $1 ORDER BY id LIMIT $2";
pub(crate) const DELETE: &str = concat!(
    "DELETE FROM once WHERE ctid = ANY(ARRAY(
        SELECT o.ctid FROM unnest($1::bigint[], $2::bigint[]) AS k (workspace, id)
        CROSS JOIN LATERAL (SELECT o.ctid FROM once o
            WHERE o.workspace = k.workspace AND o.id = k.id OFFSET 0) AS o))",
    returning!()
);

/// Calls that one look finds.
pub(super) const PAGE_MAX: usize = 64;
/// A row goes with its place among the names.
pub(super) const ROWS_EACH: usize = 2;

/// The row of a call, and when it was made.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) id: i64,
    place: i64,
    pub(super) at: Timestamp,
    /// As [`kept_bytes`] counts them.
    pub(super) bytes: i64,
}

/// Removes what has expired; ends at a page of which nothing has.
pub(super) async fn step(step: &mut Step<'_>, after: &mut i64) -> Result<Progress, StoreError> {
    while !step.is_spent() {
        let page = read(step.pool, async |session| oldest(session, *after).await).await?;
        let expired: Vec<Call> = page.iter().filter(|call| !is_kept(call.at, step.now)).copied().collect();
        step.spend(page.len() + expired.len());
        let Some(last) = page.last().filter(|_| !expired.is_empty()) else { return Ok(Progress::Ended) };
        *after = last.id;
        let work = async |write: &mut Write<'_>| {
            // Those of a workspace that is moving go as well: what is kept is copied last.
            write.lock_moving_too(&locks_of(&expired)).await?;
            remove(write, &expired).await
        };
        transact(step.pool, &work).await?;
    }
    Ok(Progress::Paused)
}

/// Those that came first behind a row.
pub(super) async fn oldest(session: &Session, after: i64) -> Result<Vec<Call>, Failure> {
    session.all(SELECT_OLDEST, &[&after, &limit(PAGE_MAX)], call).await
}

pub(super) fn locks_of(calls: &[Call]) -> Vec<Locked> {
    let places = calls.iter().map(|call| Some(call.place).filter(|place| *place != 0));
    places
        .map(|place| place.map_or(Locked::OnceOutside, |id| Locked::Workspace(WorkspaceId::from_raw(id))))
        .collect()
}

/// Their places are locked.
pub(super) async fn remove(write: &mut Write<'_>, calls: &[Call]) -> Result<usize, Failure> {
    let (places, ids): (Vec<i64>, Vec<i64>) = calls.iter().map(|call| (call.place, call.id)).unzip();
    forget(write, DELETE, &[&places, &ids]).await
}

fn call(row: &Row<'_>) -> Field<Call> {
    let mut fields = Fields::new(row, "once", 1);
    let (id, place, at) = (fields.id("id")?, fields.id("workspace")?, fields.time("at")?);
    let bytes = i64::try_from(kept_bytes(fields.count("accepted")?)).unwrap_or(i64::MAX);
    Ok(Call { id, place, at, bytes })
}
