//! `accept`: events and what is owed for them. The path that every published event takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::params;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::order::OrderKey;
use signalpost_store::StoreError;
use signalpost_store::ledger::{AcceptEvent, Accepted, Dedupe, Repeated, Stored};

use super::{index, order};
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::{Write, hot};
use signalpost_store::pack::{pack_ids, pack_pairs};
use signalpost_store::row::Fields;
use signalpost_store::weight;

pub(crate) const INSERT_MESSAGE: &str = "INSERT INTO message
    (id, workspace, sequence, accepted_at, time, type, subject, producer_id, targets, attributes, data, ordering_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
/// Replaces only what a cut has ended and no sweep has removed yet.
pub(crate) const INSERT_DUE: &str = "INSERT OR REPLACE INTO due (webhook, due_at, event, born, steps, tries)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const INSERT_FEED: &str = "INSERT INTO feed (workspace, sequence, event) VALUES (?1, ?2, ?3)";
pub(crate) const INSERT_KEY: &str = "INSERT INTO event_key
    (workspace, producer_id, event, accepted_at, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5)";
/// The last event stored that this producer's id identifies; those for which it was a label do not count.
pub(crate) const SELECT_KNOWN: &str =
    "SELECT k.workspace, k.producer_id, k.event, k.accepted_at, k.fingerprint,
        m.sequence, length(m.targets) / 8
    FROM event_key k CROSS JOIN message m ON m.id = k.event
    WHERE k.workspace = ?1 AND k.producer_id = ?2 AND k.fingerprint IS NOT NULL
    ORDER BY m.sequence DESC LIMIT 1";

/// Rough size of a row beside its payload, in bytes.
const ROW_BYTES: usize = 256;

/// An event on its way in. Its sequence is set when it is stored.
pub(crate) struct Incoming {
    event: Arc<Event>,
    version: u64,
    dedupe: Option<Dedupe>,
    /// Only where something keeps an order by it.
    key: Option<OrderKey>,
    /// Those of the targets that do.
    ordered: Vec<WebhookId>,
}

/// What an event that identifies itself by its producer's id turned out to be.
enum Known {
    New,
    /// It was stored before.
    Stored(Accepted),
    /// It is the same as one further up in the same call, which has this place.
    Above(usize),
}

impl Incoming {
    pub(crate) fn event(&self) -> &Event {
        &self.event
    }
}

/// Builds the events on the caller's thread, so that the writer has less to do.
pub(super) fn prepare(events: Vec<AcceptEvent>) -> Vec<Incoming> {
    events.into_iter().map(prepare_one).collect()
}

pub(crate) fn prepare_one(accept: AcceptEvent) -> Incoming {
    let AcceptEvent { id, workspace, version, content, targets, accepted_at, dedupe, ordered } = accept;
    let payload_removed_at = None;
    let sequence = Sequence(0);
    let event = Event { id, workspace, sequence, content, targets, accepted_at, payload_removed_at };
    let key = event.content.ordering_key.as_deref().map(OrderKey::of).filter(|_| !ordered.is_empty());
    let ordered = if key.is_some() { ordered } else { Vec::new() };
    Incoming { event: Arc::new(event), version, dedupe, key, ordered }
}

/// In bytes, about.
pub(super) fn weight(incoming: &[Incoming]) -> usize {
    incoming.iter().map(|one| ROW_BYTES + one.event.content.data.len() + 40 * one.event.targets.len()).sum()
}

/// Every refusal is decided before anything is stored: first the versions of all events, then their ids.
pub(super) fn run(write: &mut Write<'_>, incoming: &mut [Incoming]) -> Result<Vec<Accepted>, Failure> {
    for one in incoming.iter() {
        check_version(write, one)?;
    }
    let known = recognise(write, incoming)?;
    let mut answers: Vec<Accepted> = Vec::with_capacity(incoming.len());
    for (one, known) in incoming.iter_mut().zip(known) {
        let answer = match known {
            Known::New => store(write, one)?,
            Known::Stored(first) => first,
            Known::Above(place) => Accepted { repeated: Repeated::Yes, ..answers[place].clone() },
        };
        answers.push(answer);
    }
    Ok(answers)
}

/// `Missing("workspace")`, `CatalogMoved`.
pub(crate) fn check_version(write: &mut Write<'_>, one: &Incoming) -> Result<(), Failure> {
    match write.version(one.event.workspace)? {
        None => Err(StoreError::Missing("workspace").into()),
        Some(version) if version != one.version => Err(StoreError::CatalogMoved.into()),
        Some(_) => Ok(()),
    }
}

fn recognise(write: &Write<'_>, incoming: &[Incoming]) -> Result<Vec<Known>, Failure> {
    let mut above: BTreeMap<(WorkspaceId, &str), (usize, [u8; 32])> = BTreeMap::new();
    let mut known = Vec::with_capacity(incoming.len());
    for (place, one) in incoming.iter().enumerate() {
        let (Some(dedupe), Some(id)) = (one.dedupe, one.event.content.producer_id.as_deref()) else {
            known.push(Known::New);
            continue;
        };
        let workspace = one.event.workspace;
        if let Some((first, fingerprint)) = above.get(&(workspace, id)) {
            same_or_refused(fingerprint, dedupe)?;
            known.push(Known::Above(*first));
        } else if let Some((first, fingerprint)) = stored_under(write, workspace, id, dedupe)? {
            same_or_refused(&fingerprint, dedupe)?;
            known.push(Known::Stored(first));
        } else {
            above.insert((workspace, id), (place, dedupe.fingerprint));
            known.push(Known::New);
        }
    }
    Ok(known)
}

fn same_or_refused(known: &[u8], dedupe: Dedupe) -> Result<(), Failure> {
    if known == dedupe.fingerprint { Ok(()) } else { Err(StoreError::EventIdReused.into()) }
}

/// The event that a producer's id stands for at present, unless that is too old.
fn stored_under(
    write: &Write<'_>,
    workspace: WorkspaceId,
    id: &str,
    dedupe: Dedupe,
) -> Result<Option<(Accepted, Vec<u8>)>, Failure> {
    let found = fetch_one(write.connection, SELECT_KNOWN, params![workspace.raw(), id], |row| {
        let mut fields = Fields::new(row, "event_key", 3);
        fields.skip();
        fields.skip();
        let id = EventId::from_raw(fields.id("event")?);
        let accepted_at = fields.time("accepted_at")?;
        let fingerprint = fields.blob("fingerprint")?.to_vec();
        let sequence = Sequence(fields.integer("sequence")?);
        let deliveries = fields.count("targets")?;
        Ok((accepted_at, Accepted { id, sequence, deliveries, repeated: Repeated::Yes }, fingerprint))
    })?;
    let fresh = found.filter(|(accepted_at, ..)| *accepted_at >= dedupe.not_before);
    Ok(fresh.map(|(_, first, fingerprint)| (first, fingerprint)))
}

pub(crate) fn store(write: &mut Write<'_>, one: &mut Incoming) -> Result<Accepted, Failure> {
    let sequence = write.next_sequence(one.event.workspace)?;
    // Shared with nobody on the first run, so nothing is copied.
    Arc::make_mut(&mut one.event).sequence = sequence;
    let event = &one.event;
    let bytes = insert_message(write, event)?;
    write.count(event.workspace, 1, bytes)?;
    insert_due(write, one)?;
    if write.has_feed(event.workspace)? {
        let insert = hot(&mut write.hot.insert_feed, write.connection, INSERT_FEED)?;
        insert.execute([event.workspace.raw(), sequence.0, event.id.raw()])?;
    }
    if let Some(producer_id) = &event.content.producer_id {
        let fingerprint = one.dedupe.as_ref().map(|dedupe| dedupe.fingerprint);
        write.statement(INSERT_KEY)?.execute(params![
            event.workspace.raw(),
            producer_id,
            event.id.raw(),
            event.accepted_at.as_ms(),
            fingerprint,
        ])?;
    }
    index::note_event(write, event)?;
    write.news.note_id(event.id.raw());
    write.news.accepted.push(Stored { event: Arc::clone(event), told_apart: one.ordered.clone() });
    Ok(Accepted { id: event.id, sequence, deliveries: event.targets.len(), repeated: Repeated::No })
}

/// Returns what the event counts for in its workspace's bytes.
fn insert_message(write: &mut Write<'_>, event: &Event) -> Result<i64, Failure> {
    let content = &event.content;
    let attributes = (!content.attributes.is_empty()).then(|| pack_pairs(&content.attributes));
    let targets = pack_ids(event.targets.iter().map(|webhook| webhook.raw()));
    let attribute_bytes = attributes.as_ref().map_or(0, Vec::len);
    let bytes = weight::of_message(content.data.len(), attribute_bytes, targets.len());
    hot(&mut write.hot.insert_message, write.connection, INSERT_MESSAGE)?.execute(params![
        event.id.raw(),
        event.workspace.raw(),
        event.sequence.0,
        event.accepted_at.as_ms(),
        content.time.as_ms(),
        content.event_type,
        content.subject,
        content.producer_id,
        targets,
        attributes,
        content.data.as_ref(),
        content.ordering_key,
    ])?;
    Ok(bytes)
}

fn insert_due(write: &mut Write<'_>, one: &Incoming) -> Result<(), Failure> {
    let event = &one.event;
    let (due_at, born) = (event.accepted_at.as_ms(), event.sequence.0);
    for webhook in &event.targets {
        if let Some(key) = one.key.filter(|_| one.ordered.contains(webhook)) {
            order::owe(write, event, *webhook, key)?;
            continue;
        }
        let insert = hot(&mut write.hot.insert_due, write.connection, INSERT_DUE)?;
        insert.execute(params![webhook.raw(), due_at, event.id.raw(), born, 0, 0])?;
    }
    Ok(())
}
