//! What the world lends us: time, randomness, threads, room for heavy work and a way to send a request.
//!
//! The engine reaches the world through these traits alone, so that the simulator can be the world.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use crate::attempt::Exchange;
use crate::secret::Secret;
use crate::target_url::TargetUrl;
use crate::time::{Monotonic, Timestamp};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Reads clocks and waits.
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump either way.
    fn now(&self) -> Timestamp;
    /// A clock that only goes forward; for durations.
    fn monotonic(&self) -> Monotonic;
    /// Resolves once `duration` has passed on the monotonic clock. Must be polled where it was made.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Resolves once everything else that was ready, sockets and timers too, has had a turn: for whoever has much to do.
    /// Must be polled where it was made.
    fn give_way(&self) -> BoxFuture<'static, ()>;
}

/// [`Clock::give_way`] where all that can be ready are tasks: goes to the end of the executor's queue. Not for an executor
/// that looks after sockets and timers, which may be slow to look at them while a task wakes itself.
pub fn requeue() -> BoxFuture<'static, ()> {
    let mut requeued = false;
    Box::pin(poll_fn(move |context| {
        if requeued {
            return Poll::Ready(());
        }
        requeued = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }))
}

/// Bytes that nobody can foresee.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);

    /// A number from 0 to `bound` inclusive; the bias of the remainder is below 2^-32 for bounds below 2^32.
    fn up_to(&self, bound: u64) -> u64 {
        let mut bytes = [0u8; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound.saturating_add(1).max(1)
    }
}

/// Starts operating-system threads.
pub trait Threads: Send + Sync {
    /// Runs `body` on a new thread called `name`; the caller learns of its end by what `body` itself signals.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>);
}

/// Does what keeps a processor busy for long, one after the other and away from the threads that deliver and answer.
pub trait HeavyWork: Send + Sync {
    /// Takes the work, or refuses it when [`crate::limits::HEAVY_WORK_QUEUE_MAX`] wait already, for strangers when
    /// [`crate::limits::HEAVY_WORK_STRANGERS_MAX`] of strangers do. What it found out it tells by itself.
    fn take(&self, asker: Asker, work: Box<dyn FnOnce() + Send>) -> Result<(), TooMuchWork>;
}

/// For whom heavy work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Who has shown a key of the operator side.
    Operator,
    /// Whoever reaches the public address.
    Stranger,
}

/// As much heavy work waits as may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as much heavy work waits as may wait")]
pub struct TooMuchWork;

/// Starts tasks on the delivery core that asks, beside whatever runs there.
pub trait SpawnLocal {
    /// Runs `task` to its end on this core's own executor. What it found out is its own business to store.
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>);
}

/// Starts tasks that are brought to their end, whoever has gone away meanwhile.
pub trait Spawn: Send + Sync {
    /// Runs `task` beside whatever runs where it is called.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// One request to a receiver, complete and signed.
#[derive(Clone, Debug)]
pub struct OutboundRequest {
    pub url: Arc<TargetUrl>,
    /// Names in lower case. `host`, `content-length` and `connection` are the transport's business.
    pub headers: Vec<(Arc<str>, String)>,
    /// Headers after those whose values are secret. Whoever shows or keeps the request masks them.
    pub secret_headers: Arc<[(Arc<str>, Secret)]>,
    pub body: Bytes,
    /// Limit of the whole exchange: name lookup to the last byte that is read.
    pub timeout: Duration,
}

/// Sends a request to a stranger and says exactly what happened. Belongs to one delivery core.
pub trait Transport {
    /// Never fails: every way in which an exchange can end is an outcome.
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange>;
}
