//! Where verbs that write wait for the writer: the batcher behind a lock, and what wakes the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use signalpost_core::limits::{
    COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX, COMMIT_QUEUE_BYTES_MAX, COMMIT_QUEUE_MAX, OUTCOMES_LINGER,
};
use signalpost_store::StoreError;
use signalpost_store::batch::{BatchLimits, Batcher};

use crate::job::Job;

const LIMITS: BatchLimits = BatchLimits {
    operations_max: COMMIT_OPERATIONS_MAX,
    bytes_max: COMMIT_BYTES_MAX,
    waiting_operations_max: COMMIT_QUEUE_MAX,
    waiting_bytes_max: COMMIT_QUEUE_BYTES_MAX,
};

/// Background work that may wait: one caller, which calls again after an answer.
const BACKGROUND_MAX: usize = 4;

/// Whether a verb may be turned away when too much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Bounded,
    /// For outcomes and the catalogue: bounded by what calls them.
    Always,
}

/// When work in the background is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How long nothing must have come.
    pub(crate) quiet_for: Duration,
    pub(crate) under_load: UnderLoad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnderLoad {
    /// It shares the next commit.
    Joins,
    Waits,
}

/// What the writer does next.
pub(crate) enum Next {
    Commit(Vec<Box<dyn Job>>),
    /// Work in the background, by itself.
    Background(Box<dyn Job>),
    /// Nothing came for as long as the writer wanted to wait.
    Idle,
    /// The queue is closed and empty.
    End,
}

pub(crate) struct WriteQueue {
    waiting: Mutex<Waiting>,
    arrival: Condvar,
}

struct Waiting {
    batcher: Batcher<Box<dyn Job>>,
    background: VecDeque<Box<dyn Job>>,
    closed: bool,
    ended: bool,
    /// The writer sleeps; nobody else does, so that a push need not wake in vain.
    writer_sleeps: bool,
    on_end: Vec<oneshot::Sender<()>>,
}

impl WriteQueue {
    pub(crate) const fn new() -> Self {
        let waiting = Waiting {
            batcher: Batcher::new(LIMITS),
            background: VecDeque::new(),
            closed: false,
            ended: false,
            writer_sleeps: false,
            on_end: Vec::new(),
        };
        Self { waiting: Mutex::new(waiting), arrival: Condvar::new() }
    }

    /// `Overloaded` or, when the store is closed, `Unavailable`.
    pub(crate) fn push(
        &self,
        admission: Admission,
        job: Box<dyn Job>,
        bytes: usize,
    ) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        match admission {
            Admission::Always => waiting.batcher.push_always(job, bytes),
            Admission::Bounded => {
                waiting.batcher.push(job, bytes).map_err(|_turned_away| StoreError::Overloaded)?;
            }
        }
        self.wake(waiting);
        Ok(())
    }

    /// Queues what nobody waits for and must not be lost: it goes with the next commit, or after [`OUTCOMES_LINGER`] by
    /// itself.
    pub(crate) fn push_patient(&self, job: Box<dyn Job>, bytes: usize) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        // A writer that lingers already has set its timer.
        let begins = waiting.batcher.is_empty();
        waiting.batcher.push_patient(job, bytes);
        if begins {
            self.wake(waiting);
        }
        Ok(())
    }

    /// Queues work in the background, which is done on the writer's terms.
    pub(crate) fn push_background(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(closed());
        }
        if waiting.background.len() >= BACKGROUND_MAX {
            return Err(StoreError::Overloaded);
        }
        waiting.background.push_back(job);
        self.wake(waiting);
        Ok(())
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        let wake = std::mem::take(&mut waiting.writer_sleeps);
        drop(waiting);
        if wake {
            self.arrival.notify_one();
        }
    }

    /// The next batch; waits for one, but not longer than `patience` when that is given, nor than the terms of what
    /// waits in the background.
    pub(crate) fn next(&self, patience: Option<Duration>, terms: Terms) -> Next {
        let mut waiting = self.lock();
        let mut has_lingered = false;
        loop {
            let lingers = !waiting.batcher.is_empty();
            if lingers && (waiting.batcher.is_hurried() || has_lingered || waiting.closed) {
                let mut batch = waiting.batcher.take();
                if terms.under_load == UnderLoad::Joins {
                    batch.extend(waiting.background.pop_front());
                }
                return Next::Commit(batch);
            }
            if waiting.closed {
                return waiting.background.pop_front().map_or(Next::End, Next::Background);
            }
            let patience = match (lingers, waiting.background.is_empty()) {
                (true, _) => Some(OUTCOMES_LINGER),
                (false, false) => Some(terms.quiet_for),
                (false, true) => patience,
            };
            waiting.writer_sleeps = true;
            match patience {
                None => waiting = self.arrival.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (guard, timeout) =
                        self.arrival.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner);
                    waiting = guard;
                    has_lingered = lingers && timeout.timed_out();
                    if timeout.timed_out() && waiting.batcher.is_empty() && !waiting.closed {
                        waiting.writer_sleeps = false;
                        return waiting.background.pop_front().map_or(Next::Idle, Next::Background);
                    }
                }
            }
        }
    }

    /// What waits now, without waiting.
    pub(crate) fn take(&self) -> Option<Next> {
        let mut waiting = self.lock();
        let batch = waiting.batcher.take();
        if batch.is_empty() {
            waiting.background.pop_front().map(Next::Background)
        } else {
            Some(Next::Commit(batch))
        }
    }

    /// Nothing enters any more; what waits is still done.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.writer_sleeps = false;
        drop(waiting);
        self.arrival.notify_one();
    }

    /// Resolves (with an error, which says nothing) once the writer has ended.
    pub(crate) fn ended(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        if !waiting.ended {
            waiting.on_end.push(sender);
        }
        receiver
    }

    /// The writer is gone and so are its connection and its lock. What still waits, after a writer that died,
    /// is failed.
    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.ended = true;
        let told = std::mem::take(&mut waiting.on_end);
        let mut stranded: Vec<_> = waiting.background.drain(..).collect();
        while !waiting.batcher.is_empty() {
            stranded.extend(waiting.batcher.take());
        }
        drop(waiting);
        let ended = || StoreError::Unavailable("the store's writer has ended".to_owned());
        stranded.into_iter().for_each(|job| job.fail(ended()));
        drop(told);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Growth, job};

    const TERMS: Terms = Terms { quiet_for: Duration::ZERO, under_load: UnderLoad::Waits };

    fn idle() -> Box<dyn Job> {
        job(Growth::Needed, |_write| Ok(())).0
    }

    fn operations(next: &Next) -> usize {
        match next {
            Next::Commit(batch) => batch.len(),
            _ => 0,
        }
    }

    #[test]
    fn what_nobody_waits_for_shares_the_next_commit_and_needs_none() {
        let queue = WriteQueue::new();
        queue.push_patient(idle(), 1).expect("it is open");
        queue.push(Admission::Bounded, idle(), 1).expect("there is room");
        assert_eq!(operations(&queue.next(None, TERMS)), 2);
        queue.push_patient(idle(), 1).expect("it is open");
        assert_eq!(operations(&queue.next(None, TERMS)), 1, "nobody came, and it goes all the same");
    }

    #[test]
    fn a_writer_that_waits_for_something_else_hears_of_what_lingers() {
        let queue = WriteQueue::new();
        queue.push_patient(idle(), 1).expect("it is open");
        assert_eq!(
            operations(&queue.next(Some(Duration::ZERO), TERMS)),
            1,
            "idle time is not told while it waits"
        );
        queue.push_patient(idle(), 1).expect("it is open");
        queue.close();
        assert_eq!(operations(&queue.next(None, TERMS)), 1);
        assert!(matches!(queue.next(None, TERMS), Next::End));
        assert!(queue.push_patient(idle(), 1).is_err());
    }
}
