//! `accept`: events and what is owed for them. The path that every published event takes.
//!
//! A commit takes the calls of many. All that they need to know is read in one round trip behind the locks, each call is
//! decided by itself, and what is stored goes out in a second round trip together with the commit.

use std::collections::HashMap;
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::future::{try_join_all, try_join3};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::order::OrderKey;
use signalpost_store::ledger::{AcceptEvent, Accepted, Dedupe, Repeated, Stored};
use signalpost_store::row::Fields;
use signalpost_store::{Done, Once, StoreError};

use super::accept_once;
use super::owed::Owed;
use super::rows;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::pool::Pool;
use crate::session::Session;
use crate::shell;
use crate::write::{News, Write};

/// The last event stored that a producer's id identifies; those for which it was a label do not count.
pub(crate) const SELECT_KNOWN: &str =
    "SELECT k.workspace, k.producer_id, e.event, e.accepted_at, e.fingerprint, e.sequence, e.targets
    FROM unnest($1::bigint[], $2::text[]) AS k (workspace, producer_id) CROSS JOIN LATERAL (
        SELECT e.event, e.accepted_at, e.fingerprint, m.sequence, length(m.targets) / 8 AS targets
        FROM event_key e JOIN message m ON m.id = e.event
        WHERE e.workspace = k.workspace AND e.producer_id = k.producer_id AND e.fingerprint IS NOT NULL
        ORDER BY m.sequence DESC LIMIT 1) AS e";

/// Rough size of a row beside its payload, in bytes.
const ROW_BYTES: usize = 256;
/// How often a commit is tried that others are in the way of.
const TRIES_MAX: usize = 5;

type Answered = Result<Done<Vec<Accepted>, Vec<Accepted>>, StoreError>;

/// A caller's events, and the caller.
pub(crate) struct AcceptCall {
    incoming: Vec<Incoming>,
    once: Option<Once>,
    reply: oneshot::Sender<Answered>,
}

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
enum Known {
    New,
    /// It was stored before.
    Stored(Accepted),
    /// It is the same as one further up in the same call, which has this place.
    Above(usize),
}

/// Events that producers' ids stand for at present: when each was accepted, the first answer, its fingerprint.
type Identified = HashMap<(WorkspaceId, String), (signalpost_core::time::Timestamp, Accepted, Vec<u8>)>;

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
    fn identity(&self) -> Option<(WorkspaceId, &str)> {
        self.dedupe?;
        Some((self.event.workspace, self.event.content.producer_id.as_deref()?))
    }
}

impl AcceptCall {
    pub(super) fn new(events: Vec<AcceptEvent>, once: Option<Once>) -> (Self, oneshot::Receiver<Answered>) {
        let (reply, answer) = oneshot::channel();
        (Self { incoming: events.into_iter().map(Incoming::new).collect(), once, reply }, answer)
    }

    /// In bytes, about.
    pub(super) fn weight(&self) -> usize {
        let of = |one: &Incoming| ROW_BYTES + one.event.content.data.len() + 40 * one.event.targets.len();
        self.incoming.iter().map(of).sum()
    }

    fn locked(&self) -> impl Iterator<Item = Locked> + '_ {
        let once = self.once.map(|once| once.workspace.map_or(Locked::OnceOutside, Locked::Workspace));
        once.into_iter().chain(self.incoming.iter().flat_map(Incoming::locked))
    }
}

/// Commits calls and answers them. Those that meet another by a name that counts once go in a later commit.
pub(crate) async fn commit(pool: &Pool, mut calls: Vec<AcceptCall>) {
    while !calls.is_empty() {
        let later = set_apart(&mut calls);
        commit_together(pool, calls).await;
        calls = later;
    }
}

/// Takes out the calls that have a name in common with one before them.
fn set_apart(calls: &mut Vec<AcceptCall>) -> Vec<AcceptCall> {
    let mut later = Vec::new();
    let mut names = std::collections::HashSet::new();
    let mut kept = Vec::with_capacity(calls.len());
    for call in calls.drain(..) {
        let identities = call.incoming.iter().filter_map(Incoming::identity);
        let own: std::collections::HashSet<(Option<WorkspaceId>, Vec<u8>)> = identities
            .map(|(workspace, id)| (Some(workspace), id.as_bytes().to_vec()))
            .chain(call.once.map(|once| (once.workspace, once.call.name.to_vec())))
            .collect();
        if own.is_disjoint(&names) {
            names.extend(own);
            kept.push(call);
        } else {
            later.push(call);
        }
    }
    *calls = kept;
    later
}

async fn commit_together(pool: &Pool, mut calls: Vec<AcceptCall>) {
    let mut tries = 1;
    loop {
        match try_commit(pool, &mut calls).await {
            Ok((answers, news)) => {
                pool.shared.tell(news);
                calls.into_iter().zip(answers).for_each(|(call, answer)| call.answer(answer));
                return;
            }
            Err(failure) if failure.is_conflict() && tries < TRIES_MAX => tries += 1,
            Err(failure) if failure.is_of_the_server() => {
                let problem = failure.describe();
                tracing::error!(problem, calls = calls.len(), "a commit of events failed");
                calls.into_iter().for_each(|call| call.answer(Err(refusal(&failure))));
                return shell::pause().await;
            }
            Err(failure) if calls.len() > 1 => {
                tracing::warn!(
                    problem = failure.describe(),
                    calls = calls.len(),
                    "a commit was spoilt by one call; each is tried by itself"
                );
                for call in calls {
                    Box::pin(commit_together(pool, vec![call])).await;
                }
                return;
            }
            Err(failure) => return calls.into_iter().for_each(|call| call.answer(Err(refusal(&failure)))),
        }
    }
}

/// The same refusal for each of many callers.
fn refusal(failure: &Failure) -> StoreError {
    if failure.is_full() { StoreError::Full } else { StoreError::Unavailable(failure.describe()) }
}

impl AcceptCall {
    fn answer(self, answer: Answered) {
        // Whoever has gone is not told.
        let _ = self.reply.send(answer);
    }
}

async fn try_commit(pool: &Pool, calls: &mut [AcceptCall]) -> Result<(Vec<Answered>, News), Failure> {
    let session = pool.take().await?;
    let locked: Vec<Locked> = calls.iter().flat_map(AcceptCall::locked).collect();
    let mut write = Write::begin_locked(&session, &pool.shared, &locked).await?;
    let decided = match decide(&mut write, calls).await {
        Ok(decided) => decided,
        Err(failure) => {
            write.roll_back().await;
            return Err(failure);
        }
    };
    let stored: Vec<&Incoming> =
        decided.stored.iter().map(|(call, event)| &calls[*call].incoming[*event]).collect();
    let news = write.commit_after(rows::append(&session, &stored, &decided.owed)).await?;
    Ok((decided.answers, news))
}

/// What becomes of the calls of a commit.
struct Decided {
    answers: Vec<Answered>,
    /// By the place of the call and the place in it.
    stored: Vec<(usize, usize)>,
    owed: Owed,
}

async fn decide(write: &mut Write<'_>, calls: &mut [AcceptCall]) -> Result<Decided, Failure> {
    let all = || calls.iter().flat_map(|call| &call.incoming);
    let before = try_join_all(calls.iter().map(|call| accept_once::before(write, call.once)));
    let (before, identified, owed) =
        try_join3(before, identified(write, all()), Owed::look(write, all())).await?;
    let mut decided = Decided { answers: Vec::with_capacity(calls.len()), stored: Vec::new(), owed };
    for (place, (call, before)) in calls.iter_mut().zip(before).enumerate() {
        let answer = match before {
            Ok(Some(before)) => Ok(Done::Before(before)),
            Ok(None) => store_call(write, place, call, &identified, &mut decided).map(Done::Now),
            Err(refusal) => Err(refusal),
        };
        if let (Ok(Done::Now(accepted)), Some(once)) = (&answer, call.once) {
            accept_once::remember(write, once, accepted).await?;
        }
        decided.answers.push(answer);
    }
    Ok(decided)
}

/// Every refusal is decided before anything is stored: first the versions of all events, then their ids.
fn store_call(
    write: &mut Write<'_>,
    place: usize,
    call: &mut AcceptCall,
    identified: &Identified,
    decided: &mut Decided,
) -> Result<Vec<Accepted>, StoreError> {
    for one in &call.incoming {
        check_version(write, one)?;
    }
    let known = recognise(&call.incoming, identified)?;
    let mut answers: Vec<Accepted> = Vec::with_capacity(call.incoming.len());
    for (number, (one, known)) in call.incoming.iter_mut().zip(known).enumerate() {
        let answer = match known {
            Known::New => {
                decided.stored.push((place, number));
                store(write, one, &mut decided.owed)?
            }
            Known::Stored(first) => first,
            Known::Above(place) => Accepted { repeated: Repeated::Yes, ..answers[place].clone() },
        };
        answers.push(answer);
    }
    Ok(answers)
}

/// `Missing("workspace")`, `CatalogMoved`.
pub(crate) fn check_version(write: &Write<'_>, one: &Incoming) -> Result<(), StoreError> {
    match write.version(one.event.workspace) {
        None => Err(StoreError::Missing("workspace")),
        Some(version) if version != one.version => Err(StoreError::CatalogMoved),
        Some(_) => Ok(()),
    }
}

fn recognise(incoming: &[Incoming], identified: &Identified) -> Result<Vec<Known>, StoreError> {
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
async fn identified(
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
    write.news.accepted.push(Stored { event: Arc::clone(event), ordered: one.ordered.clone() });
    Ok(Accepted { id: event.id, sequence, deliveries: event.targets.len(), repeated: Repeated::No })
}
