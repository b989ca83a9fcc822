//! Threads that read, each with a connection of its own, and the queue that feeds them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use rusqlite::Connection;
use signalpost_core::limits::READ_QUEUE_MAX;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::queue::closed;

const BEGIN: &str = "BEGIN DEFERRED";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

type ReadJob = Box<dyn FnOnce(&Connection) + Send>;

pub(crate) struct ReadQueue {
    waiting: Mutex<Waiting>,
    arrival: Condvar,
    departure: Condvar,
}

struct Waiting {
    jobs: VecDeque<ReadJob>,
    closed: bool,
    sleeping: usize,
    running: usize,
}

impl ReadQueue {
    /// `readers` is the number of threads that will call [`Self::run_reader`].
    pub(crate) const fn new(readers: usize) -> Self {
        let waiting = Waiting { jobs: VecDeque::new(), closed: false, sleeping: 0, running: readers };
        Self { waiting: Mutex::new(waiting), arrival: Condvar::new(), departure: Condvar::new() }
    }

    /// Queues a read. `Overloaded` when too many wait, `Unavailable` when the store is closed.
    pub(crate) fn push<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = move |connection: &Connection| {
            // Nobody waits for it any more: then nobody needs it.
            if !reply.is_canceled() {
                let _ = reply.send(read(connection, work));
            }
        };
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        if waiting.jobs.len() >= READ_QUEUE_MAX {
            return Err(StoreError::Overloaded);
        }
        waiting.jobs.push_back(Box::new(job));
        let wake = waiting.sleeping > 0;
        drop(waiting);
        if wake {
            self.arrival.notify_one();
        }
        Ok(answer)
    }

    /// Serves reads until the queue is closed and empty.
    pub(crate) fn run_reader(self: &Arc<Self>, connection: Connection) {
        let _guard = DepartureGuard { queue: Arc::clone(self) };
        while let Some(job) = self.next() {
            // Its caller learns of a panic by the dropped reply.
            if catch_unwind(AssertUnwindSafe(|| job(&connection))).is_err() {
                tracing::error!("a read panicked");
            }
        }
        // The connection goes before the guard says that the reader is gone.
        drop(connection);
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrival.notify_all();
    }

    pub(crate) fn wait_until_ended(&self) {
        let mut waiting = self.lock();
        while waiting.running > 0 {
            waiting = self.departure.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next(&self) -> Option<ReadJob> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting.sleeping += 1;
            waiting = self.arrival.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.sleeping -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a reader out, however it went.
struct DepartureGuard {
    queue: Arc<ReadQueue>,
}

impl Drop for DepartureGuard {
    fn drop(&mut self) {
        self.queue.lock().running -= 1;
        self.queue.departure.notify_all();
    }
}

/// Runs a read on one snapshot.
pub(crate) fn read<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let snapshot = Snapshot::begin(connection).map_err(Failure::from).map_err(Failure::into_store_error)?;
    let result = work(connection);
    drop(snapshot);
    result.map_err(Failure::into_store_error)
}

/// A read transaction, ended when dropped, also by a panic.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn begin(connection: &'c Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached(BEGIN)?.execute([])?;
        Ok(Self(connection))
    }

    fn end(&self) -> rusqlite::Result<()> {
        self.0.prepare_cached(COMMIT)?.execute([])?;
        Ok(())
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // A snapshot that stays open would keep the write-ahead log from being folded back.
        if let Err(error) = self.end().or_else(|_| self.0.execute_batch(ROLLBACK))
            && !self.0.is_autocommit()
        {
            tracing::error!(%error, "a read transaction could not be ended");
        }
    }
}
