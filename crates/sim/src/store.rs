//! The store as a process of the simulated world has it: the memory model, or the real one, behind a group commit that
//! takes time.
//!
//! Writes gather in the same batcher that a real writer uses; [`SimStore::commit_loop`] is its other shell. A process
//! that is killed loses what had not been committed, and may not hear of what had.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use futures_channel::oneshot;
use futures_util::FutureExt;
use signalpost_core::ports::BoxFuture;
use signalpost_store::batch::{BatchLimits, Batcher};
use signalpost_store::testing::faulty::{Fault, FaultyStore};
use signalpost_store::testing::lent::Lent;
use signalpost_store::{Answer, Store, StoreError};

use crate::chance::SharedChance;
use crate::clock::SimClock;
use crate::nodes::Seat;
use crate::trouble::Trouble;

pub(crate) type Inner = FaultyStore<Lent>;

/// Calls the verb of a write: it is queued, or done already. All of a batch are called before any is looked after.
type Operation = Box<dyn FnOnce(&Inner) -> Called + Send>;
/// Looks after the answer; what it returns tells the caller.
type Called = Box<dyn FnOnce() -> Reply + Send>;
type Reply = Box<dyn FnOnce() + Send>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct StorePace {
    /// Longest time of a read and of a commit.
    pub(crate) read_us_max: u64,
    pub(crate) commit_us_max: u64,
    pub(crate) limits: BatchLimits,
}

/// One opening of the store.
pub(crate) struct SimStore {
    pub(crate) inner: Arc<Inner>,
    chance: Arc<SharedChance>,
    clock: SimClock,
    pub(crate) trouble: Arc<Trouble>,
    pace: StorePace,
    desk: Arc<Mutex<Desk>>,
    /// Where the store is shared.
    pub(crate) seat: Option<Arc<Seat>>,
}

/// Writes that wait for a commit.
struct Desk {
    waiting: Batcher<Operation>,
    committer: Option<Waker>,
}

/// Whether a write may be turned away when too many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    Refusable,
    MustWait,
}

impl SimStore {
    /// Opens the store anew, as a process that starts would.
    pub(crate) fn open(
        store: Arc<dyn Store>,
        clock: SimClock,
        chance: Arc<SharedChance>,
        trouble: Arc<Trouble>,
        pace: StorePace,
        seat: Option<Arc<Seat>>,
    ) -> Self {
        let (judge, sat) = (Arc::clone(&trouble), seat.clone());
        let plan = move |call| if is_cut_off(&sat) { Fault::Before } else { judge.judge(call) };
        let inner = Arc::new(FaultyStore::new(Lent::new(store), Box::new(plan)));
        let desk = Desk { waiting: Batcher::new(pace.limits), committer: None };
        Self { inner, chance, clock, trouble, pace, desk: Arc::new(Mutex::new(desk)), seat }
    }

    /// Commits what waits, batch after batch. Never returns; runs with the process and dies with it.
    pub(crate) fn commit_loop(&self) -> impl Future<Output = ()> + 'static {
        let (inner, desk, trouble) =
            (Arc::clone(&self.inner), Arc::clone(&self.desk), Arc::clone(&self.trouble));
        let (clock, chance, longest) =
            (self.clock.clone(), Arc::clone(&self.chance), self.pace.commit_us_max);
        async move {
            loop {
                let batch = next_batch(&desk).await;
                let (writing, syncing) = split(&chance, longest);
                clock.sleep_us(writing).await;
                trouble.begin_commit(clock.now_us());
                let called: Vec<Called> = batch.into_iter().map(|operation| operation(&inner)).collect();
                let replies: Vec<Reply> = called.into_iter().map(|look| look()).collect();
                clock.sleep_us(syncing).await;
                replies.into_iter().for_each(|reply| reply());
            }
        }
    }

    /// Queues a write for the next commit.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        bytes: usize,
        verb: impl FnOnce(&Inner) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (tell, told) = oneshot::channel();
        let operation: Operation = Box::new(move |store| {
            let answer = verb(store);
            Box::new(move || {
                let answer = at_once(answer);
                // The caller may have been killed meanwhile, and then nobody is told.
                Box::new(move || drop(tell.send(answer)))
            })
        });
        let mut desk = lock(&self.desk);
        let queued = match urgency {
            Urgency::Refusable => desk.waiting.push(operation, bytes).is_ok(),
            Urgency::MustWait => {
                desk.waiting.push_always(operation, bytes);
                true
            }
        };
        let committer = desk.committer.take();
        drop(desk);
        if !queued {
            return Box::pin(std::future::ready(Err(StoreError::Overloaded)));
        }
        committer.into_iter().for_each(Waker::wake);
        let closed = || Err(StoreError::Unavailable("the store is closed".to_owned()));
        Box::pin(async move { told.await.unwrap_or_else(|_| closed()) })
    }

    /// Reads at some moment between the call and the answer.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Inner) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (clock, inner) = (self.clock.clone(), Arc::clone(&self.inner));
        let (going, coming) = split(&self.chance, self.pace.read_us_max);
        Box::pin(async move {
            clock.sleep_us(going).await;
            let answer = at_once(verb(&inner));
            clock.sleep_us(coming).await;
            answer
        })
    }
}

fn is_cut_off(seat: &Option<Arc<Seat>>) -> bool {
    seat.as_ref().is_some_and(|seat| seat.line.is_cut())
}

/// Two parts of a time of at most this length.
pub(crate) fn split(chance: &SharedChance, longest_us: u64) -> (u64, u64) {
    let mut chance = chance.draw();
    let whole = chance.between(0, longest_us);
    let first = chance.between(0, whole);
    (first, whole - first)
}

pub(crate) fn at_once<T>(answer: BoxFuture<'static, T>) -> T {
    answer.now_or_never().expect("a store without threads answers at once")
}

async fn next_batch(desk: &Mutex<Desk>) -> Vec<Operation> {
    poll_fn(|context| {
        let mut desk = lock(desk);
        if desk.waiting.is_empty() {
            desk.committer = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(desk.waiting.take())
    })
    .await
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().expect("nobody panics while queueing")
}
