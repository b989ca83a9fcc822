//! The writer without a thread: batches are applied where a verb's future is first polled.
//!
//! For the deterministic simulator. The same queue, the same batches, the same transactions; reads use the
//! writer's own connection.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::queue::{Next, WriteQueue, closed};
use crate::readers::read;
use crate::writer::{Pace, WriterState};

pub(crate) struct Inline {
    /// `None` once the store is closed.
    state: Mutex<Option<WriterState>>,
}

impl Inline {
    pub(crate) const fn new(state: WriterState) -> Self {
        Self { state: Mutex::new(Some(state)) }
    }

    /// Applies everything that waits.
    pub(crate) fn drain(&self, queue: &WriteQueue) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state.as_mut() else { return };
        while let Some(next) = queue.take() {
            match next {
                Next::Commit(batch) => state.apply(batch, Pace::Loaded),
                Next::Background(job) => state.apply(vec![job], Pace::Idle),
                Next::Idle | Next::End => return,
            }
        }
    }

    /// Reads what all verbs called before have left.
    pub(crate) fn read<T>(
        &self,
        queue: &WriteQueue,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.drain(queue);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        read(state.as_ref().ok_or_else(closed)?.connection(), work)
    }

    pub(crate) fn close(&self, queue: &WriteQueue) {
        queue.close();
        self.drain(queue);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
        queue.end();
    }
}
