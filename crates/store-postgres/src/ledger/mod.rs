//! The ledger's verbs: events, what is owed for them, and attempts. One file each.

pub(crate) mod accept;
mod accept_once;
mod delivery;
mod due_lanes;
pub(crate) mod due_page;
mod event;
pub(crate) mod events_by_id;
mod feed;
pub(crate) mod finish;
pub(crate) mod finish_call;
pub(crate) mod health;
pub(crate) mod history;
mod list_deliveries;
mod list_events;
mod newest_first;
pub(crate) mod order;
pub(crate) mod owed;
mod owner_of;
mod probe;
pub(crate) mod publish;
pub(crate) mod record;
pub(crate) mod requeue;
mod requeue_lost;
pub(crate) mod rows;
mod storage;
mod sweep;
mod tally;
pub(crate) mod unattempted;
pub(crate) mod unblock;
pub(crate) mod upkeep;
pub(crate) mod usage;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{
    AcceptEvent, Accepted, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage, EventKey, EventPage,
    Feed, Finished, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost, Retain, Retained, Storage,
    Usage,
};
use signalpost_store::{Answer, Cluster, CommitListener, Done, Ledger, Named, Once, Ownership, StoreError};

use crate::store::{PostgresStore, settled};
use crate::{nodes, retention};
use finish_call::FinishCall;
use publish::AcceptCall;

/// What an answer that is kept weighs in a commit, in bytes.
const ANSWER_BYTES: usize = 256;

impl PostgresStore {
    fn accept_call(
        &self,
        events: Vec<AcceptEvent>,
        once: Option<Once>,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        let (call, answer) = AcceptCall::new(events, once);
        let bytes = ANSWER_BYTES + call.weight();
        match self.queues.push_accept(call, bytes) {
            Ok(()) => Box::pin(settled(answer)),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }
}

impl Ledger for PostgresStore {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.board.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    fn highest_id(&self) -> i64 {
        self.board.highest_id.load(Ordering::Acquire)
    }

    fn ownership(&self) -> Arc<Ownership> {
        Arc::clone(&self.board.ownership)
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        let answer = self.accept_call(events, None);
        Box::pin(async move {
            match answer.await? {
                Done::Now(accepted) => Ok(accepted),
                // Only a call that happens once has an answer from before.
                Done::Before(_) => Err(StoreError::Unavailable("a call was taken for another".to_owned())),
            }
        })
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        self.accept_call(events, Some(once))
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        let (call, answer) = FinishCall::new(finished);
        let bytes = call.weight();
        match self.queues.push_finish(call, bytes) {
            Ok(()) => Box::pin(settled(answer)),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }

    fn requeue(&self, params: Requeue) -> Answer<Due> {
        self.write(async move |write| requeue::run(write, params).await)
    }

    fn requeue_lost(&self, params: RequeueLost) -> Answer<usize> {
        self.write(async move |write| requeue_lost::run(write, &params).await)
    }

    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>> {
        self.read(async move |session| due_lanes::run(session, params).await)
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        self.read_shown(async move |session| due_page::run(session, params).await, |due| *due)
    }

    fn unattempted(&self, deliveries: Vec<DeliveryId>) -> Answer<Vec<(Due, Arc<Event>)>> {
        self.read_shown(async move |session| unattempted::run(session, &deliveries).await, |(due, _)| *due)
    }

    fn events_by_id(&self, ids: Vec<EventId>) -> Answer<Vec<Arc<Event>>> {
        self.read(async move |session| events_by_id::run(session, &ids).await)
    }

    fn event(&self, workspace: WorkspaceId, key: EventKey) -> Answer<Option<Arc<Event>>> {
        self.read(async move |session| event::run(session, workspace, &key).await)
    }

    fn list_events(&self, params: ListEvents) -> Answer<EventPage> {
        self.read_snapshot(async move |session| list_events::run(session, &params).await)
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        self.read_snapshot(async move |session| feed::run(session, &params).await)
    }

    fn list_deliveries(&self, params: ListDeliveries) -> Answer<DeliveryPage> {
        self.read_snapshot(async move |session| list_deliveries::run(session, &params).await)
    }

    fn delivery(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<Option<DeliveryRecord>> {
        self.read_snapshot(async move |session| delivery::run(session, workspace, delivery).await)
    }

    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>> {
        self.read(async move |session| owner_of::run(session, &named).await)
    }

    fn upkeep(&self, now: Timestamp) -> Answer<bool> {
        self.run(async move |pool| upkeep::run(&pool, now).await)
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        self.run(async move |pool| retention::run(&pool, &params).await)
    }

    fn usage(&self, workspace: WorkspaceId) -> Answer<Option<Usage>> {
        self.read(async move |session| usage::run(session, workspace).await)
    }

    fn storage(&self) -> Answer<Storage> {
        let board = Arc::clone(&self.board);
        self.read(async move |session| storage::run(session, &board).await)
    }

    fn cluster(&self) -> Answer<Cluster> {
        self.run(async move |pool| nodes::cluster(&pool).await)
    }

    fn probe(&self, now: Timestamp) -> Answer<()> {
        self.write(async move |write| probe::run(write, now).await)
    }

    fn close(&self) -> Answer<()> {
        self.close_and_wait()
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    accept::SELECT_KNOWN,
    due_lanes::SELECT,
    due_lanes::SELECT_FIRST_LIVING,
    due_page::SELECT,
    due_page::SELECT_NEWEST,
    event::SELECT_BY_ID,
    event::SELECT_BY_PRODUCER_ID,
    events_by_id::SELECT,
    unattempted::SELECT,
    feed::SELECT_STATE,
    feed::SELECT,
    finish::SELECT_CUTS_UPTO,
    finish::SELECT_DUE_BORN,
    finish::SELECT_LEAVING,
    finish::UPDATE_CONCURRENCY,
    health::UPDATE_HEALTH,
    history::SELECT_CUTS,
    history::SELECT_CUTS_OF,
    history::SELECT_STEPS_BRIEF,
    history::SELECT_STEPS,
    history::SELECT_STEPS_BRIEF_OF,
    history::SELECT_PUBLIC_IDS,
    newest_first::SELECT_OF_WORKSPACE,
    newest_first::SELECT_OF_WEBHOOK,
    newest_first::SELECT_ONE,
    order::HAVE_KEY,
    order::SELECT_FIRST,
    order::SELECT_PLACE,
    order::UPDATE_RELEASED,
    order::BLOCKS,
    owed::INSERT,
    owed::INSERT_FEED,
    owner_of::SELECT_OF_DELIVERY,
    owner_of::SELECT_OF_WEBHOOK,
    owner_of::SELECT_OF_SIGNING_KEY,
    publish::EVENT_EXISTS,
    record::INSERT,
    record::SELECT_EVENTS,
    record::DELETE_DUE,
    requeue::SELECT_EVENT,
    requeue::INSERT_STEP,
    rows::INSERT_MESSAGES,
    rows::INSERT_KEYS,
    storage::SELECT,
    sweep::SELECT_FIRST,
    sweep::SELECT_CUT_UPTO,
    sweep::SELECT_ROWS,
    sweep::DELETE_ROWS,
    sweep::INSERT_DROPPED,
    sweep::UPDATE,
    sweep::DELETE,
    sweep::ANY,
    tally::TAKE,
    tally::ADD,
    tally::ADD_KEPT,
    tally::FORGET_PLACES,
    unblock::SELECT_BLOCKED,
    unblock::DELETE_BLOCKED,
    unblock::INSERT,
    unblock::SELECT,
    unblock::DELETE,
    usage::SELECT,
];
