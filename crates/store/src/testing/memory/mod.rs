//! The memory model: what a store must do, written so that it is plain to see.
//!
//! Ordered maps and loops, no index, no cache. Every verb does its work when it is called and answers a ready
//! future. Where the contract's words leave a choice, what this model does is the choice.

mod catalog;
mod catalog_verbs;
mod closing;
mod copy;
mod data;
mod deliveries;
mod desk;
mod feed;
mod ledger;
mod lists;
mod names;
mod once;
mod operator_keys;
mod order;
mod portal;
mod replays;
mod retention;
mod rollups;
mod signing_keys;
mod users;
mod vault;

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::ports::BoxFuture;
use signalpost_core::time::Timestamp;

use crate::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use crate::{Answer, Change, Cluster, Done, Named, Once, Ownership, StoreError};
use data::Data;

/// A store in memory. Clones are the same opening of the same store; the data lives as long as any of them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    opening: Arc<Opening>,
}

/// What ends with a process and begins anew with the next one.
#[derive(Default)]
struct Opening {
    closed: AtomicBool,
    /// Locked from before a commit until the listener was told of it: two threads cannot tell out of order.
    listener: Mutex<Option<Arc<dyn CommitListener>>>,
    ownership: Arc<Ownership>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells what others have changed. Nobody shares a store in memory; a test may play another node that does.
    pub fn tell_changed(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        match self.listener().as_ref() {
            Some(listener) => listener.changed(changes),
            None => Box::pin(ready(())),
        }
    }

    /// Commits as another node does: nobody here is told.
    pub fn elsewhere<R>(&self, commits: impl FnOnce() -> R) -> R {
        let listener = self.listener().take();
        let committed = commits();
        *self.listener() = listener;
        committed
    }

    /// Tells what another node has accepted.
    pub fn tell_accepted_elsewhere(&self, deliveries: &[DeliveryId]) {
        if let Some(listener) = self.listener().as_ref() {
            listener.accepted_elsewhere(deliveries);
        }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("no verb panics while it holds the data")
    }

    fn run<T: Send + 'static>(&self, verb: impl FnOnce(&mut Data) -> Result<T, StoreError>) -> Answer<T> {
        let answer = if self.opening.closed.load(Ordering::SeqCst) {
            Err(StoreError::Unavailable("the store is closed".to_owned()))
        } else {
            verb(&mut self.data())
        };
        Box::pin(ready(answer))
    }

    /// Of what the verb before has released.
    fn tell_released(&self, listener: &MutexGuard<'_, Option<Arc<dyn CommitListener>>>) {
        let released = std::mem::take(&mut self.data().released);
        if let Some(listener) = listener.as_ref() {
            released.into_iter().for_each(|due| listener.released(due));
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Arc<dyn CommitListener>>> {
        self.opening.listener.lock().expect("a listener does not panic")
    }
}

impl Ledger for MemoryStore {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.listener() = Some(listener);
    }

    fn highest_id(&self) -> i64 {
        self.data().highest_id
    }

    fn ownership(&self) -> Arc<Ownership> {
        Arc::clone(&self.opening.ownership)
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        let listener = self.listener();
        let mut stored = Vec::new();
        let answer = self.run(|data| data.accept(events, &mut stored));
        if let (Some(listener), false) = (listener.as_ref(), stored.is_empty()) {
            listener.accepted(stored);
        }
        self.tell_released(&listener);
        answer
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        let listener = self.listener();
        let mut stored = Vec::new();
        let answer = self.run(|data| data.accept_once(events, once, &mut stored));
        if let (Some(listener), false) = (listener.as_ref(), stored.is_empty()) {
            listener.accepted(stored);
        }
        self.tell_released(&listener);
        answer
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        let listener = self.listener();
        let answer = self.run(|data| {
            finished.iter().for_each(|one| data.finish(one));
            Ok(())
        });
        self.tell_released(&listener);
        answer
    }

    fn requeue(&self, params: Requeue) -> Answer<Due> {
        let listener = self.listener();
        let mut owed = None;
        let answer = self.run(|data| {
            let round = data.requeue(params)?;
            owed = round.begun();
            Ok(round.due())
        });
        if let (Some(listener), Some(due)) = (listener.as_ref(), owed) {
            listener.requeued(vec![due], params.workspace);
        }
        answer
    }

    fn requeue_lost(&self, params: RequeueLost) -> Answer<usize> {
        let listener = self.listener();
        let mut owed = Vec::new();
        let answer = self.run(|data| {
            let (requeued, owes) = data.requeue_lost(&params);
            owed = owes;
            Ok(requeued)
        });
        if let (Some(listener), false) = (listener.as_ref(), owed.is_empty()) {
            listener.requeued(owed, params.workspace);
        }
        answer
    }

    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>> {
        self.run(|data| Ok(data.due_lanes(params)))
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        self.run(|data| Ok(data.due_page(params)))
    }

    fn unattempted(&self, deliveries: Vec<DeliveryId>) -> Answer<Vec<(Due, Arc<Event>)>> {
        self.run(|data| Ok(data.unattempted(&deliveries)))
    }

    fn events_by_id(&self, ids: Vec<EventId>) -> Answer<Vec<Arc<Event>>> {
        self.run(|data| Ok(data.events_by_id(&ids)))
    }

    fn event(&self, workspace: WorkspaceId, key: EventKey) -> Answer<Option<Arc<Event>>> {
        self.run(|data| Ok(data.event(workspace, &key)))
    }

    fn list_events(&self, params: ListEvents) -> Answer<EventPage> {
        self.run(|data| Ok(data.list_events(&params)))
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        self.run(|data| data.feed(&params))
    }

    fn list_deliveries(&self, params: ListDeliveries) -> Answer<DeliveryPage> {
        self.run(|data| Ok(data.list_deliveries(&params)))
    }

    fn delivery(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<Option<DeliveryRecord>> {
        self.run(|data| Ok(data.delivery(workspace, delivery)))
    }

    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>> {
        self.run(|data| Ok(data.owner_of(&named)))
    }

    /// The model keeps no index and reads past what a cut has ended and what else has expired, so there is
    /// nothing else to do.
    fn upkeep(&self, now: Timestamp) -> Answer<bool> {
        self.run(|data| {
            data.wipe_expired_secrets(now);
            data.forget_expired_operator_keys(now);
            data.forget_expired_operator_sessions(now);
            data.forget_expired_portal_sessions(now);
            data.forget_acts(now);
            data.forget_expired_rights_and_sessions(now);
            data.forget_replays(now);
            data.forget_figures(now);
            Ok(false)
        })
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        self.run(|data| Ok(data.retain(&params)))
    }

    fn usage(&self, workspace: WorkspaceId) -> Answer<Option<Usage>> {
        self.run(|data| Ok(data.usage(workspace)))
    }

    fn storage(&self) -> Answer<Storage> {
        self.run(|data| Ok(data.storage()))
    }

    fn cluster(&self) -> Answer<Cluster> {
        self.run(|_| Ok(Cluster::of_one()))
    }

    fn probe(&self, _now: Timestamp) -> Answer<()> {
        self.run(|_| Ok(()))
    }

    fn close(&self) -> Answer<()> {
        let answer = self.run(|_| Ok(()));
        self.opening.closed.store(true, Ordering::SeqCst);
        answer
    }
}
