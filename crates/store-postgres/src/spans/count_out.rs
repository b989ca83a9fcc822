//! Counting out what is gone, with what belongs to it elsewhere, page by page; and dropping its tables.
//!
//! Nobody writes there any more, so what is added up is exact. Nobody misses the rows that are removed here: a feed's reader
//! was told before that it has expired so far, and a producer's id leads to an event that is there, or to none. What is left
//! in `due` a cut has ended, and its sweep removes it.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join4;
use signalpost_core::id::WorkspaceId;
use signalpost_store::row::{Fields, candidate, candidate_columns};
use signalpost_store::weight;

use super::depart::{self, Departure};
use super::{Done, tables};
use crate::failure::Failure;
use crate::retention::{Candidate, delete_dropped, delete_keys, deliveries};
use crate::session::{Session, limit};
use crate::write::Write;

pub(crate) const SELECT_PAGE: &str =
    concat!("SELECT ", candidate_columns!(), " FROM message_gone m WHERE m.id > $1 ORDER BY m.id LIMIT $2");
pub(crate) const SELECT_CARRIED: &str = "SELECT event FROM carried WHERE event > $1 AND event <= $2";
pub(crate) const SELECT_STEPS: &str = "SELECT k.event, a.steps, a.bytes
    FROM unnest($1::bigint[], $2::bigint[]) AS k (webhook, event) CROSS JOIN LATERAL (
        SELECT count(*) AS steps, coalesce(sum(length(a.detail)), 0)::bigint AS bytes
        FROM attempt_gone a WHERE a.webhook = k.webhook AND a.event = k.event OFFSET 0) AS a";
/// Of one that is erased nobody knows whether it had one.
pub(crate) const DELETE_FEED: &str = "DELETE FROM feed WHERE ctid = ANY(ARRAY(
    SELECT f.ctid FROM unnest($1::bigint[], $2::bigint[]) AS k (workspace, sequence)
    CROSS JOIN LATERAL (SELECT 1 FROM workspace w
        WHERE w.id = k.workspace AND (w.feed = 1 OR w.erased_at IS NOT NULL) OFFSET 0) AS w
    CROSS JOIN LATERAL (SELECT f.ctid FROM feed f
        WHERE f.workspace = k.workspace AND f.sequence = k.sequence OFFSET 0) AS f))";
pub(crate) const ANY_DROPPED: &str = "SELECT 1 FROM dropped LIMIT 1";
pub(crate) const SELECT_GONE: &str = "SELECT substring(c.relname FROM 'message_p(.*)')::bigint AS number
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'message_gone'::regclass";

/// Events of one page: so many rows of each kind are counted or removed.
const PAGE_MAX: usize = 500;

/// Counts the next page out; `None` when all of it is done.
pub(super) async fn step(write: &mut Write<'_>, departure: &Departure) -> Result<Option<Done>, Failure> {
    let after = departure.come_to;
    let page = write.all(SELECT_PAGE, &[&after, &limit(PAGE_MAX)], candidate).await?;
    let Some(last) = page.last().map(|event| event.id) else { return Ok(None) };
    let id = |row: &signalpost_store::row::Row<'_>| Fields::new(row, "carried", 0).integer("event");
    let carried: HashSet<i64> = write.all(SELECT_CARRIED, &[&after, &last], id).await?.into_iter().collect();
    let gone: Vec<&Candidate> = page.iter().filter(|event| !carried.contains(&event.id)).collect();
    if !gone.is_empty() {
        remove(write, &gone).await?;
    }
    depart::come_to(write, last).await?;
    Ok(Some(Done { events: u64::try_from(gone.len()).unwrap_or(u64::MAX), rows: page.len() }))
}

async fn remove(write: &mut Write<'_>, gone: &[&Candidate]) -> Result<(), Failure> {
    let deliveries = deliveries(gone);
    let (steps, _, (), ()) = try_join4(
        steps(write, &deliveries),
        delete_feed(write, gone),
        delete_keys(write, gone),
        remove_dropped(write, &deliveries),
    )
    .await?;
    let mut sums: HashMap<WorkspaceId, (i64, i64)> = HashMap::new();
    for event in gone {
        let sum = sums.entry(event.workspace).or_default();
        sum.0 += 1;
        sum.1 += event.bytes + steps.get(&event.id).copied().unwrap_or(0);
    }
    for (workspace, (events, bytes)) in sums {
        write.count(workspace, -events, -bytes);
    }
    Ok(())
}

/// What the histories of events count for.
async fn steps(session: &Session, deliveries: &[(i64, i64)]) -> Result<HashMap<i64, i64>, Failure> {
    let (webhooks, events): (Vec<i64>, Vec<i64>) = deliveries.iter().copied().unzip();
    let found = session
        .all(SELECT_STEPS, &[&webhooks, &events], |row| {
            let mut fields = Fields::new(row, "attempt_gone", 0);
            let event = fields.integer("event")?;
            Ok((event, fields.integer("steps")? * weight::of_step(0) + fields.integer("bytes")?))
        })
        .await?;
    let mut sums = HashMap::new();
    for (event, bytes) in found {
        *sums.entry(event).or_default() += bytes;
    }
    Ok(sums)
}

async fn delete_feed(session: &Session, gone: &[&Candidate]) -> Result<u64, Failure> {
    let (workspaces, sequences): (Vec<i64>, Vec<i64>) =
        gone.iter().map(|event| (event.workspace.raw(), event.sequence.0)).unzip();
    session.execute(DELETE_FEED, &[&workspaces, &sequences]).await
}

/// There are few, or none.
async fn remove_dropped(session: &Session, deliveries: &[(i64, i64)]) -> Result<(), Failure> {
    if session.exists(ANY_DROPPED, &[]).await? { delete_dropped(session, deliveries).await } else { Ok(()) }
}

/// Drops the tables, of which everything is counted out.
pub(super) async fn end(session: &Session) -> Result<Done, Failure> {
    tables::hurry(session).await?;
    let number = |row: &signalpost_store::row::Row<'_>| Fields::new(row, "pg_class", 0).integer("number");
    for number in session.all(SELECT_GONE, &[], number).await? {
        tables::drop(session, number).await?;
    }
    tables::forget_departure(session).await?;
    Ok(Done::CHANGE)
}
