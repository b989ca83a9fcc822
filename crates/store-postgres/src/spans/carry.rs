//! Copying what stays, page by page, and once more what somebody has written to since it was looked at.

use std::collections::BTreeSet;

use signalpost_core::id::WorkspaceId;
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::row::{Field, Fields, Row};

use super::depart::{self, Departure};
use super::{Done, heir};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::retention::load;
use crate::session::{Session, limit};
use crate::write::Write;

pub(crate) const SELECT_PAGE: &str =
    "SELECT m.id, m.workspace FROM message m WHERE m.id > $1 AND m.id < $2 ORDER BY m.id LIMIT $3";
pub(crate) const SELECT_TOUCHED: &str = "SELECT t.event, m.workspace
    FROM (SELECT DISTINCT event FROM touched WHERE event <= $1 ORDER BY event LIMIT $2) AS t
    LEFT JOIN LATERAL (SELECT m.workspace FROM message m WHERE m.id = t.event OFFSET 0) AS m ON true";
pub(crate) const TAKE_TOUCHED: &str = "DELETE FROM touched WHERE event = ANY($1::bigint[])";

/// Events that one step looks at.
pub(super) const PAGE_MAX: usize = 250;

/// An event, and whose it is; nobody's when it is gone.
pub(super) type Found = (i64, Option<WorkspaceId>);

/// Copies what stays of the next events; `None` when all were looked at.
pub(super) async fn step(
    write: &mut Write<'_>,
    departure: &Departure,
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<Option<Done>, Failure> {
    let touched = touched(write, departure.come_to).await?;
    if !touched.is_empty() {
        write.lock_moving_too(&locks_of(&touched)).await?;
        anew(write, &touched, now, rules).await?;
        return Ok(Some(Done { events: 0, rows: 2 * touched.len() }));
    }
    let (after, ended, most) = (departure.come_to, departure.range.ended, limit(PAGE_MAX));
    let page = write.all(SELECT_PAGE, &[&after, &ended, &most], found).await?;
    let Some((last, _)) = page.last() else { return Ok(None) };
    write.lock_moving_too(&locks_of(&page)).await?;
    let events = load(write, known(&page)).await?;
    heir::take_over(write, &events, now, rules).await?;
    depart::come_to(write, *last).await?;
    Ok(Some(Done { events: 0, rows: page.len() }))
}

/// Some of the events up to an id that somebody has written to.
pub(super) async fn touched(session: &Session, upto: i64) -> Result<Vec<Found>, Failure> {
    session.all(SELECT_TOUCHED, &[&upto, &limit(PAGE_MAX)], found).await
}

/// Copies what stays of events that were looked at before. Their workspaces are locked.
pub(super) async fn anew(
    write: &mut Write<'_>,
    touched: &[Found],
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<(), Failure> {
    let ids: Vec<i64> = touched.iter().map(|(event, _)| *event).collect();
    // First: who notes one after this has written what is seen below, or is seen the next time.
    write.execute(TAKE_TOUCHED, &[&ids]).await?;
    heir::take_back(write, &ids).await?;
    let events = load(write, known(touched)).await?;
    heir::take_over(write, &events, now, rules).await
}

fn known(found: &[Found]) -> impl Iterator<Item = (WorkspaceId, i64)> {
    found.iter().filter_map(|(event, workspace)| Some(((*workspace)?, *event)))
}

fn found(row: &Row<'_>) -> Field<Found> {
    let mut fields = Fields::new(row, "message", 1);
    let event = fields.integer("id")?;
    Ok((event, fields.optional_integer("workspace")?.map(WorkspaceId::from_raw)))
}

pub(super) fn locks_of(found: &[Found]) -> Vec<Locked> {
    let workspaces: BTreeSet<WorkspaceId> = found.iter().filter_map(|(_, workspace)| *workspace).collect();
    workspaces.into_iter().map(Locked::Workspace).collect()
}
