//! `accept`: an event on its way in, and what is decided about it. [`super::publish`] commits it with its neighbours.

use std::collections::HashMap;
use std::sync::Arc;

use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::order::OrderKey;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::{AcceptEvent, Accepted, Dedupe, Repeated, Stored};
use signalpost_store::row::Fields;

use super::owed::Owed;
use super::rows;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::Session;
use crate::write::Write;

/// The last event stored that a producer's id identifies; those for which it was a label do not count.
pub(crate) const SELECT_KNOWN: &str =
    "SELECT k.workspace, k.producer_id, e.event, e.accepted_at, e.fingerprint, e.sequence, e.targets
    FROM unnest($1::bigint[], $2::text[]) AS k (workspace, producer_id) CROSS JOIN LATERAL (
        SELECT e.event, e.accepted_at, e.fingerprint, m.sequence, length(m.targets) / 8 AS targets
        FROM event_key e CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = e.event OFFSET 0) AS m
        WHERE e.workspace = k.workspace AND e.producer_id = k.producer_id AND e.fingerprint IS NOT NULL
        ORDER BY m.sequence DESC LIMIT 1) AS e";

/// An event on its way in. Its sequence is set when it is stored.
pub(crate) struct Incoming {
    pub(super) event: Arc<Event>,
    version: u64,
    pub(super) dedupe: Option<Dedupe>,
    /// Only where something keeps an order by it.
    key: Option<OrderKey>,
    /// Those of the targets that do.
    ordered: Vec<WebhookId>,
}

/// What an event that identifies itself by its producer's id turned out to be.
pub(super) enum Known {
    New,
    /// It was stored before.
    Stored(Accepted),
    /// It is the same as one further up in the same call, which has this place.
    Above(usize),
}

/// Events that producers' ids stand for at present: when each was accepted, the first answer, its fingerprint.
pub(super) type Identified = HashMap<(WorkspaceId, String), (Timestamp, Accepted, Vec<u8>)>;

impl Incoming {
    /// Builds the event on the caller's thread, so that the store's has less to do.
    pub(crate) fn new(accept: AcceptEvent) -> Self {
        let AcceptEvent { id, workspace, version, content, targets, accepted_at, dedupe, ordered } = accept;
        let event = Event {
            id,
            workspace,
            sequence: Sequence(0),
            content,
            targets,
            accepted_at,
            payload_removed_at: None,
        };
        let key = event.content.ordering_key.as_deref().map(OrderKey::of).filter(|_| !ordered.is_empty());
        let ordered = if key.is_some() { ordered } else { Vec::new() };
        Self { event: Arc::new(event), version, dedupe, key, ordered }
    }

    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    /// What must be locked before it is stored.
    pub(crate) fn locked(&self) -> impl Iterator<Item = Locked> + '_ {
        let lanes = self.ordered.iter().map(|webhook| Locked::Order(*webhook));
        std::iter::once(Locked::Workspace(self.event.workspace)).chain(lanes)
    }

    /// Webhooks that keep an order, each with the key.
    pub(super) fn ordered_keys(&self) -> impl Iterator<Item = (WebhookId, OrderKey)> + '_ {
        self.key.into_iter().flat_map(|key| self.ordered.iter().map(move |webhook| (*webhook, key)))
    }

    /// The key by which the event is kept in order for a target.
    fn key_for(&self, webhook: WebhookId) -> Option<OrderKey> {
        self.key.filter(|_| self.ordered.contains(&webhook))
    }

    /// Under which it is known, where the producer's id identifies it.
    pub(super) fn identity(&self) -> Option<(WorkspaceId, &str)> {
        self.dedupe?;
        Some((self.event.workspace, self.event.content.producer_id.as_deref()?))
    }
}

/// `Moving`, `Missing("workspace")`, `CatalogMoved`.
pub(crate) fn check_version(write: &Write<'_>, one: &Incoming) -> Result<(), StoreError> {
    if write.is_moving(one.event.workspace) {
        return Err(StoreError::Moving);
    }
    match write.version(one.event.workspace) {
        None => Err(StoreError::Missing("workspace")),
        Some(version) if version != one.version => Err(StoreError::CatalogMoved),
        Some(_) => Ok(()),
    }
}

pub(super) fn recognise(incoming: &[Incoming], identified: &Identified) -> Result<Vec<Known>, StoreError> {
    let mut above: HashMap<(WorkspaceId, &str), (usize, [u8; 32])> = HashMap::new();
    let mut known = Vec::with_capacity(incoming.len());
    for (place, one) in incoming.iter().enumerate() {
        let (Some(dedupe), Some((workspace, id))) = (one.dedupe, one.identity()) else {
            known.push(Known::New);
            continue;
        };
        let fresh = identified
            .get(&(workspace, id.to_owned()))
            .filter(|(accepted_at, ..)| *accepted_at >= dedupe.not_before);
        if let Some((first, fingerprint)) = above.get(&(workspace, id)) {
            same_or_refused(fingerprint, dedupe)?;
            known.push(Known::Above(*first));
        } else if let Some((_, first, fingerprint)) = fresh {
            same_or_refused(fingerprint, dedupe)?;
            known.push(Known::Stored(first.clone()));
        } else {
            above.insert((workspace, id), (place, dedupe.fingerprint));
            known.push(Known::New);
        }
    }
    Ok(known)
}

fn same_or_refused(known: &[u8], dedupe: Dedupe) -> Result<(), StoreError> {
    if known == dedupe.fingerprint { Ok(()) } else { Err(StoreError::EventIdReused) }
}

/// What the producers' ids of these events stand for, however long ago.
pub(super) async fn identified(
    session: &Session,
    incoming: impl Iterator<Item = &Incoming>,
) -> Result<Identified, Failure> {
    let (workspaces, ids): (Vec<i64>, Vec<&str>) =
        incoming.filter_map(Incoming::identity).map(|(workspace, id)| (workspace.raw(), id)).unzip();
    if ids.is_empty() {
        return Ok(Identified::new());
    }
    let found = session
        .all(SELECT_KNOWN, &[&workspaces, &ids], |row| {
            let mut fields = Fields::new(row, "event_key", 3);
            let (workspace, id) =
                (WorkspaceId::from_raw(fields.id("workspace")?), fields.text("producer_id")?.to_owned());
            let event = EventId::from_raw(fields.id("event")?);
            let accepted_at = fields.time("accepted_at")?;
            let fingerprint = fields.blob("fingerprint")?.to_vec();
            let sequence = Sequence(fields.integer("sequence")?);
            let deliveries = fields.count("targets")?;
            let first = Accepted { id: event, sequence, deliveries, repeated: Repeated::Yes };
            Ok(((workspace, id), (accepted_at, first, fingerprint)))
        })
        .await?;
    Ok(found.into_iter().collect())
}

/// Gives an event its place, and notes what is owed for it. Its rows are written by [`rows::append`].
pub(crate) fn store(
    write: &mut Write<'_>,
    one: &mut Incoming,
    owed: &mut Owed,
) -> Result<Accepted, StoreError> {
    let workspace = one.event.workspace;
    let sequence = write.next_sequence(workspace)?;
    // Shared with nobody before the commit, so nothing is copied.
    Arc::make_mut(&mut one.event).sequence = sequence;
    let event = &one.event;
    write.count(workspace, 1, rows::weight_of(event));
    for webhook in &event.targets {
        match one.key_for(*webhook) {
            None => owed.owe(event, *webhook),
            Some(key) => write.news.released.extend(owed.owe_in_order(event, *webhook, key)),
        }
    }
    if write.has_feed(workspace) {
        owed.list_in_feed(event);
    }
    write.news.note_id(event.id.raw());
    write.news.accepted.push(Stored { event: Arc::clone(event), told_apart: one.ordered.clone() });
    Ok(Accepted { id: event.id, sequence, deliveries: event.targets.len(), repeated: Repeated::No })
}
