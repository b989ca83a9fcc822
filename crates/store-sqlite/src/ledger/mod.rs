//! The ledger's verbs: events, what is owed for them, and attempts. One file each.

pub(crate) mod accept;
mod accept_once;
mod delivery;
mod due_lanes;
mod due_page;
mod event;
mod events_by_id;
mod feed;
pub(crate) mod finish;
pub(crate) mod history;
pub(crate) mod index;
mod list_deliveries;
mod list_events;
mod newest_first;
pub(crate) mod order;
#[cfg(test)]
mod order_tests;
mod owner_of;
mod probe;
pub(crate) mod requeue;
mod requeue_lost;
mod storage;
pub(crate) mod sweep;
mod unattempted;
pub(crate) mod unblock;
pub(crate) mod upkeep;
mod usage;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{
    AcceptEvent, Accepted, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage, EventKey, EventPage,
    Feed, Finished, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost, Retain, Retained, Room,
    Storage, Usage,
};
use signalpost_store::{Answer, Cluster, CommitListener, Done, Ledger, Named, Once, Ownership};

use crate::job::Growth;
use crate::queue::Admission;
use crate::retention;
use crate::store::SqliteStore;

/// What a small write weighs in a commit, in bytes.
const SMALL_BYTES: usize = 256;

/// What is turned away when too much waits, and while the disk is full.
pub(crate) const PUBLISHED: (Admission, Growth) = (Admission::Bounded, Growth::Grows);

impl Ledger for SqliteStore {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.board.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    fn highest_id(&self) -> i64 {
        self.board.highest_id.load(Ordering::Acquire)
    }

    fn ownership(&self) -> Arc<Ownership> {
        Arc::default()
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        let mut incoming = accept::prepare(events);
        let bytes = accept::weight(&incoming);
        self.writing().write(PUBLISHED, bytes, move |write| accept::run(write, &mut incoming))
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        if self.board.disk.room() == Room::Full {
            // What was accepted before is still answered for.
            return self.read(move |connection| accept_once::before(connection, once));
        }
        let mut incoming = accept::prepare(events);
        let bytes = SMALL_BYTES + accept::weight(&incoming);
        self.writing().write(PUBLISHED, bytes, move |write| accept_once::run(write, &mut incoming, once))
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        let bytes = finish::weight(&finished);
        if finish::is_awaited(&finished) {
            self.write(Admission::Always, bytes, move |write| finish::run(write, &finished))
        } else {
            self.write_patiently(bytes, move |write| finish::run(write, &finished))
        }
    }

    fn requeue(&self, params: Requeue) -> Answer<Due> {
        self.writing().write(PUBLISHED, SMALL_BYTES, move |write| requeue::run(write, params))
    }

    fn requeue_lost(&self, params: RequeueLost) -> Answer<usize> {
        let bytes = SMALL_BYTES * params.deliveries.len();
        self.writing().write(PUBLISHED, bytes, move |write| requeue_lost::run(write, &params))
    }

    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>> {
        self.read(move |connection| due_lanes::run(connection, params))
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        self.read(move |connection| due_page::run(connection, params))
    }

    fn unattempted(&self, deliveries: Vec<DeliveryId>) -> Answer<Vec<(Due, Arc<Event>)>> {
        self.read(move |connection| unattempted::run(connection, &deliveries))
    }

    fn events_by_id(&self, ids: Vec<EventId>) -> Answer<Vec<Arc<Event>>> {
        self.read(move |connection| events_by_id::run(connection, &ids))
    }

    fn event(&self, workspace: WorkspaceId, key: EventKey) -> Answer<Option<Arc<Event>>> {
        self.read(move |connection| event::run(connection, workspace, &key))
    }

    fn list_events(&self, params: ListEvents) -> Answer<EventPage> {
        self.read(move |connection| list_events::run(connection, &params))
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        self.read(move |connection| feed::run(connection, &params))
    }

    fn list_deliveries(&self, params: ListDeliveries) -> Answer<DeliveryPage> {
        self.read(move |connection| list_deliveries::run(connection, &params))
    }

    fn delivery(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<Option<DeliveryRecord>> {
        self.read(move |connection| delivery::run(connection, workspace, delivery))
    }

    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>> {
        self.read(move |connection| owner_of::run(connection, &named))
    }

    fn upkeep(&self, now: Timestamp) -> Answer<bool> {
        self.write(Admission::Always, SMALL_BYTES, move |write| upkeep::complete_step(write, now))
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        self.writing().write_in_background(move |write| retention::run(write, &params))
    }

    fn usage(&self, workspace: WorkspaceId) -> Answer<Option<Usage>> {
        self.read(move |connection| usage::run(connection, workspace))
    }

    fn storage(&self) -> Answer<Storage> {
        let board = Arc::clone(&self.board);
        self.read(move |connection| storage::run(connection, &board))
    }

    fn cluster(&self) -> Answer<Cluster> {
        self.read(|_| Ok(Cluster::of_one()))
    }

    fn probe(&self, now: Timestamp) -> Answer<()> {
        self.write(Admission::Bounded, SMALL_BYTES, move |write| probe::run(write, now))
    }

    fn close(&self) -> Answer<()> {
        self.close_and_wait()
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    accept::INSERT_MESSAGE,
    accept::INSERT_DUE,
    accept::INSERT_FEED,
    accept::INSERT_KEY,
    accept::SELECT_KNOWN,
    due_lanes::SELECT_NEXT,
    due_lanes::SELECT_FIRST_LIVING,
    due_page::SELECT,
    due_page::SELECT_NEWEST,
    event::SELECT_BY_ID,
    event::SELECT_BY_PRODUCER_ID,
    events_by_id::SELECT,
    unattempted::SELECT,
    feed::SELECT_STATE,
    feed::SELECT,
    finish::INSERT_ATTEMPT,
    finish::DELETE_DUE,
    finish::SELECT_CUT_UPTO,
    finish::SELECT_DUE_BORN,
    finish::UPDATE_CONCURRENCY,
    finish::UPDATE_HEALTH,
    history::SELECT_CUTS,
    history::SELECT_STEPS_BRIEF,
    history::SELECT_STEPS,
    history::SELECT_PUBLIC_ID,
    index::SELECT_TAIL,
    index::INSERT_EVENT,
    index::INSERT_DELIVERY,
    newest_first::SELECT_TAIL,
    newest_first::SELECT_OF_WORKSPACE,
    newest_first::SELECT_OF_WEBHOOK,
    newest_first::SELECT_ONE,
    order::INSERT,
    order::HAS_KEY,
    order::SELECT_FIRST,
    order::SELECT_PLACE,
    order::UPDATE_RELEASED,
    order::BLOCKS,
    owner_of::SELECT_OF_DELIVERY,
    owner_of::SELECT_OF_WEBHOOK,
    owner_of::SELECT_OF_SIGNING_KEY,
    requeue::SELECT_EVENT,
    requeue::INSERT_STEP,
    storage::COUNT_EVENTS,
    storage::SELECT_OLDEST,
    sweep::SELECT_FIRST,
    sweep::SELECT_ROWS,
    sweep::UPDATE,
    sweep::DELETE,
    sweep::ANY,
    unblock::SELECT_BLOCKED,
    unblock::INSERT,
    unblock::SELECT,
    unblock::DELETE,
    unblock::ANY,
    usage::SELECT,
];
