//! Removing events with everything that belongs to them, or their payloads alone.

use std::collections::HashMap;

use futures_util::future::{try_join, try_join_all, try_join5};
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;
use signalpost_store::weight;

use super::candidate::{Candidate, Ended, Payload};
use crate::failure::Failure;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

/// One of many in a round trip: of a table with partitions rows are found one by one by whole keys only, whatever the planner
/// thinks of its size. The same goes for what is said of `message`, which either of its indexes finds.
pub(crate) const DELETE_STEPS: &str =
    "DELETE FROM attempt WHERE webhook = $1 AND event = $2 RETURNING event, coalesce(length(detail), 0)";
pub(crate) const DELETE_MESSAGE: &str = "DELETE FROM message WHERE workspace = $1 AND id = $2";
pub(crate) const EMPTY_MESSAGE: &str =
    "UPDATE message SET data = ''::bytea, payload_removed_at = $3 WHERE workspace = $1 AND id = $2";
pub(crate) const DELETE_DROPPED: &str = "DELETE FROM dropped WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[], $2::bigint[]) AS k (webhook, event)
    CROSS JOIN LATERAL (SELECT d.ctid FROM dropped d
        WHERE d.webhook = k.webhook AND d.event = k.event OFFSET 0) AS d))";
pub(crate) const DELETE_DUE: &str = "DELETE FROM due WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (webhook, due_at, event)
    CROSS JOIN LATERAL (SELECT d.ctid FROM due d
        WHERE d.webhook = k.webhook AND d.due_at = k.due_at AND d.event = k.event OFFSET 0) AS d))";
pub(crate) const DELETE_KEYS: &str = "DELETE FROM event_key WHERE ctid = ANY(ARRAY(
    SELECT e.ctid FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS k (workspace, producer_id, event)
    CROSS JOIN LATERAL (SELECT e.ctid FROM event_key e
        WHERE e.workspace = k.workspace AND e.producer_id = k.producer_id AND e.event = k.event OFFSET 0) AS e))";
pub(crate) const DELETE_FEED: &str = "DELETE FROM feed WHERE ctid = ANY(ARRAY(
    SELECT f.ctid FROM unnest($1::bigint[], $2::bigint[]) AS k (workspace, sequence)
    CROSS JOIN LATERAL (SELECT f.ctid FROM feed f
        WHERE f.workspace = k.workspace AND f.sequence = k.sequence OFFSET 0) AS f))";

/// An event that goes, and what is known of it.
pub(super) type Gone<'e> = (&'e Candidate, Ended);

/// How much went.
#[derive(Clone, Copy, Default)]
pub(super) struct Removed {
    pub(super) events: u64,
    pub(super) rows: usize,
}

/// Removes events whose workspaces are locked.
pub(super) async fn events(write: &mut Write<'_>, gone: &[Gone<'_>]) -> Result<Removed, Failure> {
    if gone.is_empty() {
        return Ok(Removed::default());
    }
    let events: Vec<&Candidate> = gone.iter().map(|(event, _)| *event).collect();
    let deliveries = deliveries(&events);
    let (steps, (), (), (), ()) = try_join5(
        steps(write, &deliveries),
        delete_dropped(write, &deliveries),
        delete_due(write, gone),
        delete_feed(write, &events),
        rows_and_keys(write, &events),
    )
    .await?;
    count_out(write, &events, &steps);
    let rows = 2 * events.len() + deliveries.len() + steps.len();
    Ok(Removed { events: u64::try_from(events.len()).unwrap_or(u64::MAX), rows })
}

fn count_out(write: &mut Write<'_>, events: &[&Candidate], steps: &[(i64, i64)]) {
    let mut steps_bytes: HashMap<i64, i64> = HashMap::new();
    for (event, bytes) in steps {
        *steps_bytes.entry(*event).or_default() += bytes;
    }
    for event in events {
        write.expire(event.workspace, event.sequence);
        // Of a closed workspace nothing is counted any more.
        if write.version(event.workspace).is_some() {
            let bytes = event.bytes + steps_bytes.get(&event.id).copied().unwrap_or(0);
            write.count(event.workspace, -1, -bytes);
        }
    }
}

/// As [`events`] of a workspace of which nothing is counted any more, without what stands under its webhooks and in its feed.
pub(super) async fn rows_and_keys(write: &Write<'_>, events: &[&Candidate]) -> Result<(), Failure> {
    let messages = events.iter().map(|event| delete_message(write, event));
    try_join(try_join_all(messages), delete_keys(write, events)).await?;
    let highest = events.iter().map(|event| event.id).max().unwrap_or(0);
    meta::raise(write, meta::HIGHEST_DELETED_ID, highest).await
}

/// Removes what leads to these events by what their producers call them.
pub(crate) async fn delete_keys(session: &Session, events: &[&Candidate]) -> Result<(), Failure> {
    let (mut workspaces, mut producer_ids, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        let content = event.content.as_ref().ok();
        if let Some(producer_id) = content.and_then(|content| content.producer_id.as_deref()) {
            workspaces.push(event.workspace.raw());
            producer_ids.push(producer_id);
            keyed.push(event.id);
        }
    }
    session.execute(DELETE_KEYS, &[&workspaces, &producer_ids, &keyed]).await?;
    Ok(())
}

/// Empties payloads that are stored, of events whose workspaces are locked; how many there were.
pub(super) async fn payloads(
    write: &mut Write<'_>,
    gone: &[Gone<'_>],
    now: Timestamp,
) -> Result<u64, Failure> {
    let mut stored = Vec::new();
    for (event, _) in gone {
        if let Payload::Stored { bytes } = event.payload {
            stored.push(*event);
            write.expire(event.workspace, event.sequence);
            write.count(event.workspace, 0, -bytes);
        }
    }
    try_join_all(stored.iter().map(|event| empty_message(write, event, now))).await?;
    Ok(u64::try_from(stored.len()).unwrap_or(u64::MAX))
}

/// Removes the histories of these deliveries, each a webhook's and an event's: of every step the event, and its weight.
pub(super) async fn steps(session: &Session, deliveries: &[(i64, i64)]) -> Result<Vec<(i64, i64)>, Failure> {
    let gone = deliveries.iter().map(|delivery| steps_of(session, delivery));
    Ok(try_join_all(gone).await?.concat())
}

async fn steps_of(session: &Session, (webhook, event): &(i64, i64)) -> Result<Vec<(i64, i64)>, Failure> {
    session
        .all(DELETE_STEPS, &[webhook, event], |row| {
            let mut fields = Fields::new(row, "attempt", 1);
            Ok((fields.integer("event")?, weight::of_step(fields.count("detail")?)))
        })
        .await
}

async fn delete_message(session: &Session, event: &Candidate) -> Result<u64, Failure> {
    session.execute(DELETE_MESSAGE, &[&event.workspace.raw(), &event.id]).await
}

async fn empty_message(session: &Session, event: &Candidate, now: Timestamp) -> Result<u64, Failure> {
    session.execute(EMPTY_MESSAGE, &[&event.workspace.raw(), &event.id, &now.as_ms()]).await
}

pub(crate) async fn delete_dropped(session: &Session, deliveries: &[(i64, i64)]) -> Result<(), Failure> {
    let (webhooks, events): (Vec<i64>, Vec<i64>) = deliveries.iter().copied().unzip();
    if !events.is_empty() {
        session.execute(DELETE_DROPPED, &[&webhooks, &events]).await?;
    }
    Ok(())
}

async fn delete_due(session: &Session, gone: &[Gone<'_>]) -> Result<(), Failure> {
    let (mut webhooks, mut due_at, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for (event, ended) in gone {
        for (webhook, at) in &ended.unswept {
            webhooks.push(webhook.raw());
            due_at.push(*at);
            events.push(event.id);
        }
    }
    if !events.is_empty() {
        session.execute(DELETE_DUE, &[&webhooks, &due_at, &events]).await?;
    }
    Ok(())
}

/// Of a closed workspace nobody knows whether it had one.
async fn delete_feed(write: &Write<'_>, events: &[&Candidate]) -> Result<(), Failure> {
    let listed = events
        .iter()
        .filter(|event| write.has_feed(event.workspace) || write.version(event.workspace).is_none());
    let (workspaces, sequences): (Vec<i64>, Vec<i64>) =
        listed.map(|event| (event.workspace.raw(), event.sequence.0)).unzip();
    if !workspaces.is_empty() {
        write.execute(DELETE_FEED, &[&workspaces, &sequences]).await?;
    }
    Ok(())
}

/// Webhooks and events.
pub(crate) fn deliveries(events: &[&Candidate]) -> Vec<(i64, i64)> {
    let targets =
        |event: &Candidate| event.content.as_ref().map_or(Vec::new(), |content| content.targets.clone());
    let of = |event: &&Candidate| {
        let id = event.id;
        targets(event).into_iter().map(move |webhook| (webhook.raw(), id))
    };
    events.iter().flat_map(of).collect()
}
