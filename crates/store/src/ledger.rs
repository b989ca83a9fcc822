//! Events, deliveries and attempts: large, appended, never updated.

use std::future::ready;
use std::sync::Arc;

use signalpost_core::attempt::{Attempt, Outcome};
use signalpost_core::delivery::{DeliveryState, DeliveryStatus, Due, Step};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::health::Health;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::limits::DELIVERY_STEPS_MAX;
use signalpost_core::ports::BoxFuture;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, WebhookState};

pub use crate::due::{DueLane, DueLanes, DueOrder, DuePage};
use crate::once::{Done, Once};
pub use crate::space::{DiskSpace, Retain, Retained, Room, Storage, Usage};
use crate::{Answer, Change, Cluster, Named, Ownership, StoreError};

pub trait Ledger: Send + Sync {
    /// Registers who is told of commits. Before it is called nobody is told, and nothing is lost: what is owed is
    /// found by [`Self::due_lanes`].
    fn listen(&self, listener: Arc<dyn CommitListener>);

    /// The highest number among all ids ever stored; ids minted from here on must be above it.
    fn highest_id(&self) -> i64;

    /// Which lane groups this process delivers for.
    fn ownership(&self) -> Arc<Ownership>;

    /// Stores events and what is owed for them, all or nothing, synced to disk when it answers.
    ///
    /// `CatalogMoved` when the version of an event's workspace is not the current one; `Missing("workspace")`;
    /// `EventIdReused` when a `dedupe` finds the same producer id with another fingerprint.
    ///
    /// Of deliveries that keep an order by key ([`AcceptEvent::ordered`]) the first of each key is owed; the others are held
    /// until no earlier one is owed, held or blocks the key, and no verb shows them as owed before.
    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>>;

    /// As [`Self::accept`], once: a call that was made before stores nothing, tells nobody and gets the first answer,
    /// whatever has changed since. `KeyReused` when it was another request. A refusal leaves the call unused. How much
    /// is kept has bounds ([`signalpost_core::idempotency::KeptBytes`]), for which the oldest calls are forgotten.
    fn accept_once(&self, events: Vec<AcceptEvent>, once: Once)
    -> Answer<Done<Vec<Accepted>, Vec<Accepted>>>;

    /// Records attempts that have ended and what follows from each, in one commit.
    ///
    /// For each: the owed row goes, the attempt is appended, a retry is owed again unless a cut has ended the
    /// round meanwhile, and the webhook's health changes as told. An attempt that is recorded already is skipped as a
    /// whole, so that repeating the verb after an unknown outcome is safe; so is one of an event that [`Self::retain`]
    /// has removed, and one that was begun under an epoch of its lane group which is not the group's any more.
    ///
    /// An attempt whose number was taken meanwhile gets the next free one, see
    /// [`signalpost_core::delivery::place_of`]. If its round was superseded it is recorded as that: the webhook's health
    /// changes, and nothing else follows.
    ///
    /// The owed row of a new delivery is due at its event's `accepted_at`, born at its event's sequence, with no
    /// steps and no tries; a retry keeps `born` and `order`, is due as its verdict says, and counts one more step and try.
    ///
    /// With the end of a delivery that has a place in an order the next of its key is owed as a new one. But one that is given
    /// up, while its webhook's [`signalpost_core::order::OrderRule`] blocks, blocks its key: until an attempt of it is
    /// delivered after a requeue, a cut ends its round, or the rule blocks no more.
    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()>;

    /// Owes a delivery once more with a fresh round; one that is pending ends its round with that, and nothing follows
    /// from an attempt of it that is in flight. A round of which no attempt is recorded yet is answered as it is. One that is
    /// pending or blocks its key keeps its place in the order, and is held as long as it was; one that has ended has none.
    /// `Missing("delivery")`; `WrongState` when its webhook is deleted, when the payload was removed, when it has
    /// [`DELIVERY_STEPS_MAX`] steps, or when the rule does not permit it.
    fn requeue(&self, params: Requeue) -> Answer<Due>;

    /// Owes those of these deliveries once more that are lost: that failed, or were dropped when their webhook was
    /// disabled. Says how many. All others are passed over, and so are those that [`Self::requeue`] would refuse. For a webhook that is disabled they wait until it is on.
    fn requeue_lost(&self, params: RequeueLost) -> Answer<usize>;

    /// Webhooks that are on and are owed something, in ascending order, each with its earliest time.
    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>>;

    /// What one webhook is owed, on or not, by due time and then event, from that end of it which is asked for, without what
    /// a cut has ended and what is held.
    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>>;

    /// Those of these deliveries that are owed as they were accepted, each with its event: never attempted, in no order, and ended by
    /// no cut; in any order.
    fn unattempted(&self, deliveries: Vec<DeliveryId>) -> Answer<Vec<(Due, Arc<Event>)>>;

    /// Events by id for sending, in any order; ids that do not exist are left out.
    fn events_by_id(&self, ids: Vec<EventId>) -> Answer<Vec<Arc<Event>>>;

    /// One event by our id or by the producer's.
    fn event(&self, workspace: WorkspaceId, key: EventKey) -> Answer<Option<Arc<Event>>>;
    fn list_events(&self, params: ListEvents) -> Answer<EventPage>;
    /// A workspace's events in order of their sequence, oldest first. `None` when there is no such workspace;
    /// `WrongState` when it keeps no feed.
    ///
    /// An event that was committed before the call and stands after the cursor is never passed over, whatever order
    /// ids were minted in. What [`Self::retain`] removes, an event or its payload alone, expires everything up to its
    /// place: the feed begins behind the highest of these places.
    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>>;
    fn list_deliveries(&self, params: ListDeliveries) -> Answer<DeliveryPage>;
    /// One delivery with its whole history.
    fn delivery(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<Option<DeliveryRecord>>;
    /// Whose something is, of which only the name is known: the one read that no workspace scopes. It returns nothing
    /// else, and finds what the reads that are scoped find.
    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>>;

    /// One bounded step of housekeeping: secrets that have expired, rows ended by cuts, lazy indexes.
    /// `true` when there is more. The first step wipes expired secrets and removes what is remembered no longer: operator
    /// keys ([`signalpost_core::operator_key::forgotten_since`]), sessions that have expired, and rights of users
    /// ([`signalpost_core::user::forgotten_since`]) as if they were revoked; of no more rows than a step may change.
    fn upkeep(&self, now: Timestamp) -> Answer<bool>;
    /// One bounded step of removing what the rules do not let the store keep, in the writer's idle time or at a share
    /// of what else it writes. To be called again while there is [`Retained::more`].
    ///
    /// Events go oldest first, by id, each as a whole: with its deliveries' histories and the producer's id, which may
    /// then be used anew. One of which a delivery is pending, or blocks its key, stays, with its payload, whatever the rules
    /// say; what a cut has ended is not pending. By age a walk over a workspace ends at the first event that is too young,
    /// whatever comes after it. A workspace that keeps everything by default is touched by its own ages only, and by
    /// bounds on bytes. A bound on bytes removes until it is kept. Lists and cursors go on without what is gone.
    ///
    /// Answers kept for calls go when their time is over, and before it for the bytes of the store, where they are older
    /// than the oldest event that can go.
    ///
    /// Of an erased workspace everything goes, whatever the rules, but that its public id stays taken.
    fn retain(&self, params: Retain) -> Answer<Retained>;
    /// What a workspace has stored; `None` when there is no such workspace.
    fn usage(&self, workspace: WorkspaceId) -> Answer<Option<Usage>>;
    /// What the whole store takes.
    fn storage(&self) -> Answer<Storage>;
    /// Who shares the store, and who has which lane groups.
    fn cluster(&self) -> Answer<Cluster>;

    /// Answers when something has been committed and synced: the store can be written to.
    fn probe(&self, now: Timestamp) -> Answer<()>;
    /// Finishes what waits and closes; later verbs answer `Unavailable`.
    fn close(&self) -> Answer<()>;
}

/// Told of commits, on the committing thread, before the caller of the verb is answered. Must not block.
pub trait CommitListener: Send + Sync {
    /// Every commit that stored events calls this once, with all of them in commit order. What [`Ledger::due_page`] and
    /// [`Ledger::unattempted`] have shown before is not told of any more, here and below: it may have ended.
    fn accepted(&self, events: Vec<Stored>);
    /// Every commit that owes deliveries of a workspace once more calls this, with all that it has in order; never with none.
    fn requeued(&self, due: Vec<Due>, workspace: WorkspaceId);
    /// A delivery that keeps an order has come to be the first of its key.
    fn released(&self, due: Due);
    /// Owed to these webhooks by what another node has committed; a hint. Only a store that nodes share has it to tell.
    fn owed(&self, _lanes: Vec<DueLane>) {}
    /// The same, named one by one: of events that another node has accepted. Some may be under way already, or have ended.
    fn accepted_elsewhere(&self, _deliveries: &[DeliveryId]) {}
    /// Other nodes have changed this. Resolves when nothing starts here under the old state any more, nor is anybody let in by
    /// it; when it is dropped before, that is not known. Of changes to one thing any order is good: what is known after them
    /// was read after them.
    ///
    /// A store that no two processes share never calls it.
    fn changed(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        drop(changes);
        Box::pin(ready(()))
    }
}

/// An event that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub event: Arc<Event>,
    /// Those of its targets that nobody is told of with it. When one that keeps an order is owed is told apart; of others whoever
    /// delivers may have read before.
    pub told_apart: Vec<WebhookId>,
}

/// An event with its targets, chosen from the webhooks as they were at `version`.
#[derive(Clone, Debug)]
pub struct AcceptEvent {
    pub id: EventId,
    pub workspace: WorkspaceId,
    pub version: u64,
    pub content: EventContent,
    pub targets: Vec<WebhookId>,
    /// Those of the targets that keep an order. They mean nothing without an ordering key.
    pub ordered: Vec<WebhookId>,
    pub accepted_at: Timestamp,
    /// Set when the producer's id identifies the event; needs `content.producer_id`.
    pub dedupe: Option<Dedupe>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dedupe {
    /// Hash over everything the producer said.
    pub fingerprint: [u8; 32],
    /// A stored id older than this may be used again.
    pub not_before: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub id: EventId,
    pub sequence: Sequence,
    pub deliveries: usize,
    pub repeated: Repeated,
}

/// Whether an event had been stored before under the same producer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    No,
    Yes,
}

#[derive(Clone, Debug)]
pub struct Finished {
    pub workspace: WorkspaceId,
    /// The owed row as it was when the attempt started.
    pub due: Due,
    pub attempt: Attempt,
    /// Set when the attempt changed the webhook's health.
    pub health: Option<HealthChange>,
    /// Set when it has taught how many requests the webhook's receiver bears at once. A webhook that is deleted keeps nothing.
    pub concurrency: Option<u16>,
    /// Of its lane group when the attempt began.
    pub epoch: GroupEpoch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthChange {
    pub health: Health,
    /// Disables a webhook that is on or only paused, as [`crate::catalog::Switch::Disable`] does.
    pub disable: Option<DisableReason>,
    pub backlog: Backlog,
}

/// What becomes of everything that a webhook is owed when an attempt has ended its pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    Kept,
    /// It is dropped by a cut.
    Skipped,
}

#[derive(Clone, Copy, Debug)]
pub struct Requeue {
    pub workspace: WorkspaceId,
    pub delivery: DeliveryId,
    pub at: Timestamp,
    pub rule: RequeueRule,
}

/// Which deliveries may be owed once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequeueRule {
    /// Those that have ended, of webhooks that are on.
    Ended,
    /// Whatever their status. For a webhook that is disabled they wait until it is on.
    Any,
}

impl RequeueRule {
    /// `WrongState` when it does not permit to send this delivery, which has so many steps, to this webhook once more.
    pub fn check(self, webhook: WebhookState, delivery: DeliveryState, steps: u32) -> Result<(), StoreError> {
        if steps >= DELIVERY_STEPS_MAX {
            return Err(StoreError::WrongState("the delivery was sent as often as one may be"));
        }
        match self {
            Self::Any => Ok(()),
            Self::Ended if !webhook.is_active() => Err(StoreError::WrongState("the webhook is disabled")),
            Self::Ended if delivery.status() == DeliveryStatus::Pending => {
                Err(StoreError::WrongState("the delivery is still pending"))
            }
            Self::Ended => Ok(()),
        }
    }
}

#[derive(Clone, Debug)]
pub struct RequeueLost {
    pub workspace: WorkspaceId,
    /// No more than a list's page.
    pub deliveries: Vec<DeliveryId>,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKey {
    Ours(EventId),
    Producer(String),
}

/// Newest first; filters are joined by "and".
#[derive(Clone, Debug)]
pub struct ListEvents {
    pub workspace: WorkspaceId,
    pub event_type: Option<String>,
    pub subject: Option<String>,
    pub before: Option<EventId>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    pub rows: Vec<Arc<Event>>,
    /// Where the next page starts. A filtered page may be short, even empty, and still have a next one.
    pub next: Option<EventId>,
}

/// A page of a feed.
#[derive(Clone, Debug)]
pub struct ReadFeed {
    pub workspace: WorkspaceId,
    /// Behind this place; `None` begins where the feed does.
    pub after: Option<Sequence>,
    /// Events of these types; of any when it is empty.
    pub types: Vec<String>,
    /// Events of one page, at least one.
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// At most `limit` events, and no more after the one that reaches
    /// [`signalpost_core::limits::PAGE_DATA_BYTES_MAX`]. It may be short, even empty, and not be the last: a page looks
    /// at no more than [`signalpost_core::limits::LIST_SCAN_ROWS_MAX`] events.
    Page {
        events: Vec<Arc<Event>>,
        /// The place of the last event that was looked at, of whatever type; where the page began when there was none.
        next: Sequence,
        /// Exact, but when the page has looked at as many events as it may: then it is set.
        more: bool,
    },
    /// What stands behind the cursor is not all there any more.
    Expired {
        /// The lowest cursor that is good.
        oldest: Sequence,
    },
}

/// Newest event first, then by webhook descending; filters are joined by "and".
#[derive(Clone, Debug)]
pub struct ListDeliveries {
    pub workspace: WorkspaceId,
    pub webhook: Option<WebhookId>,
    pub event: Option<EventId>,
    pub status: Option<DeliveryStatus>,
    pub before: Option<DeliveryId>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPage {
    pub rows: Vec<DeliverySummary>,
    /// As in [`EventPage::next`].
    pub next: Option<DeliveryId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySummary {
    pub id: DeliveryId,
    /// What the producer calls the event.
    pub producer_id: Option<String>,
    pub event_type: String,
    /// Public id of the webhook, also when it is deleted.
    pub webhook: String,
    pub created_at: Timestamp,
    pub state: DeliveryState,
    pub attempts: u32,
    pub last_outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    pub summary: DeliverySummary,
    pub event: Arc<Event>,
    pub steps: Vec<Step>,
}
