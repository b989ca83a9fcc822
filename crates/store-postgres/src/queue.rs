//! Where verbs wait for the store's thread.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use signalpost_core::limits::{
    COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX, COMMIT_QUEUE_BYTES_MAX, COMMIT_QUEUE_MAX, READ_QUEUE_MAX,
};
use signalpost_store::StoreError;
use signalpost_store::batch::{BatchLimits, Batcher};
use tokio::sync::Notify;

use crate::ledger::finish_call::FinishCall;
use crate::ledger::publish::AcceptCall;
use crate::pool::Pool;

const LIMITS: BatchLimits = BatchLimits {
    operations_max: COMMIT_OPERATIONS_MAX,
    bytes_max: COMMIT_BYTES_MAX,
    waiting_operations_max: COMMIT_QUEUE_MAX,
    waiting_bytes_max: COMMIT_QUEUE_BYTES_MAX,
};

/// Any other verb, as a task that takes a connection for itself.
pub(crate) type Task = Box<dyn FnOnce(Rc<Pool>) -> LocalBoxFuture<'static, ()> + Send>;

/// What waits for the store's thread, and what wakes it.
pub(crate) struct Queues {
    waiting: Mutex<Waiting>,
    pub(crate) accepts: Notify,
    finishes: [Notify; 2],
    pub(crate) tasks: Notify,
}

struct Waiting {
    accepts: Batcher<AcceptCall>,
    finishes: [Batcher<FinishCall>; 2],
    tasks: VecDeque<Task>,
    closed: bool,
    ended: bool,
    on_end: Vec<oneshot::Sender<()>>,
}

/// Which outcomes: so that nobody waits behind a lock that is not theirs, those that need some go apart. Two commits that
/// change webhooks side by side could each wait for the other, and the older health could come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcomes {
    Free,
    /// They change a webhook or what others decide by, or keep an order.
    InTurn,
}

impl Outcomes {
    const fn place(self) -> usize {
        match self {
            Self::Free => 0,
            Self::InTurn => 1,
        }
    }
}

/// What the next commit of outcomes is made of, and when.
pub(crate) enum Finishes {
    Now(Vec<FinishCall>),
    /// Nobody waits for what is there.
    Later,
    None,
}

impl Queues {
    pub(crate) fn new() -> Self {
        let waiting = Waiting {
            accepts: Batcher::new(LIMITS),
            finishes: [Batcher::new(LIMITS), Batcher::new(LIMITS)],
            tasks: VecDeque::new(),
            closed: false,
            ended: false,
            on_end: Vec::new(),
        };
        let finishes = [Notify::new(), Notify::new()];
        Self { waiting: Mutex::new(waiting), accepts: Notify::new(), finishes, tasks: Notify::new() }
    }

    /// `Overloaded` when too much waits, `Unavailable` when the store is closed, here as everywhere below.
    pub(crate) fn push_accept(&self, call: AcceptCall, bytes: usize) -> Result<(), StoreError> {
        self.open()?.accepts.push(call, bytes).map_err(|_turned_away| StoreError::Overloaded)?;
        self.accepts.notify_one();
        Ok(())
    }

    /// Outcomes are taken whatever waits: they must not be lost, and are bounded by the attempts in flight.
    pub(crate) fn push_finish(&self, call: FinishCall, bytes: usize) -> Result<(), StoreError> {
        let place = call.outcomes().place();
        let mut waiting = self.open()?;
        if call.is_awaited() {
            waiting.finishes[place].push_always(call, bytes);
        } else {
            waiting.finishes[place].push_patient(call, bytes);
        }
        drop(waiting);
        self.finishes[place].notify_one();
        Ok(())
    }

    pub(crate) fn push_task(&self, task: Task) -> Result<(), StoreError> {
        let mut waiting = self.open()?;
        if waiting.tasks.len() >= READ_QUEUE_MAX {
            return Err(StoreError::Overloaded);
        }
        waiting.tasks.push_back(task);
        drop(waiting);
        self.tasks.notify_one();
        Ok(())
    }

    pub(crate) fn take_accepts(&self) -> Vec<AcceptCall> {
        self.lock().accepts.take()
    }

    /// Adds to calls that are about to be committed what has come since, see [`Batcher::top_up`].
    pub(crate) fn top_up_accepts(
        &self,
        calls: &mut Vec<AcceptCall>,
        goes_along: impl FnMut(&AcceptCall) -> bool,
    ) {
        let bytes = calls.iter().map(AcceptCall::weight).sum();
        self.lock().accepts.top_up(calls, bytes, goes_along);
    }

    pub(crate) fn take_finishes(&self, outcomes: Outcomes, patience: Patience) -> Finishes {
        let mut waiting = self.lock();
        let is_closed = waiting.closed;
        let finishes = &mut waiting.finishes[outcomes.place()];
        if finishes.is_empty() {
            return Finishes::None;
        }
        if finishes.is_hurried() || patience == Patience::Over || is_closed {
            return Finishes::Now(finishes.take());
        }
        Finishes::Later
    }

    /// Resolves when outcomes have come.
    pub(crate) async fn finish_arrives(&self, outcomes: Outcomes) {
        self.finishes[outcomes.place()].notified().await;
    }

    /// Whether outcomes should be committed at once.
    pub(crate) fn is_hurried(&self, outcomes: Outcomes) -> bool {
        let waiting = self.lock();
        waiting.closed || waiting.finishes[outcomes.place()].is_hurried()
    }

    pub(crate) fn take_task(&self) -> Option<Task> {
        self.lock().tasks.pop_front()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Whether nothing waits and nothing will come any more, here and below.
    pub(crate) fn accepts_are_over(&self) -> bool {
        let waiting = self.lock();
        waiting.closed && waiting.accepts.is_empty()
    }

    pub(crate) fn finishes_are_over(&self, outcomes: Outcomes) -> bool {
        let waiting = self.lock();
        waiting.closed && waiting.finishes[outcomes.place()].is_empty()
    }

    pub(crate) fn tasks_are_over(&self) -> bool {
        let waiting = self.lock();
        waiting.closed && waiting.tasks.is_empty()
    }

    /// Takes nothing more; what waits is done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        for waker in [&self.accepts, &self.tasks].into_iter().chain(&self.finishes) {
            waker.notify_one();
        }
    }

    /// Told, by being dropped, when the store's thread has ended.
    pub(crate) fn ended(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        if !waiting.ended {
            waiting.on_end.push(sender);
        }
        receiver
    }

    /// The thread is gone, however it went.
    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.ended = true;
        waiting.on_end.clear();
        waiting.tasks.clear();
        let accepts = waiting.accepts.take();
        let finishes = waiting.finishes.each_mut().map(Batcher::take);
        drop(waiting);
        drop((accepts, finishes));
    }

    fn open(&self) -> Result<MutexGuard<'_, Waiting>, StoreError> {
        let waiting = self.lock();
        if waiting.closed {
            Err(StoreError::Unavailable("the store is closed".to_owned()))
        } else {
            Ok(waiting)
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of outcomes that nobody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Left,
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_taken_in_is_forgotten_by_a_close() {
        let queues = Queues::new();
        assert!(!queues.tasks_are_over(), "it is open");
        queues.push_task(Box::new(|_pool| Box::pin(async {}))).expect("it is open");
        queues.close();
        assert!(!queues.tasks_are_over() && queues.accepts_are_over());
        assert!(queues.finishes_are_over(Outcomes::Free) && queues.finishes_are_over(Outcomes::InTurn));
        assert!(queues.take_task().is_some() && queues.tasks_are_over());
        assert!(queues.push_task(Box::new(|_pool| Box::pin(async {}))).is_err());
    }
}
