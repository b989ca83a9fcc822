//! The writer's thread: takes batches, and does the housekeeping while nothing waits.

use std::sync::Arc;
use std::time::Duration;

use crate::fold::{Folding, LogKeeper};
use crate::queue::{Next, Terms, WriteQueue};
use crate::readers::ReadQueue;
use crate::writer::{Pace, WriterState};

/// Nothing to write for this long is idle time.
const IDLE_AFTER: Duration = Duration::from_millis(50);
/// Commits after which a step of housekeeping is done without waiting for idle time, which may never come.
const COMMITS_WITHOUT_STEP_MAX: u32 = 64;

/// The threads that have connections too. They go first, so that the writer's is the last one and SQLite folds the write-ahead
/// log into the file.
#[derive(Clone)]
pub(crate) struct Others {
    pub(crate) readers: Arc<ReadQueue>,
    pub(crate) folding: Arc<Folding>,
}

impl Others {
    fn close(&self) {
        self.readers.close();
        self.folding.close();
    }

    fn wait_until_ended(&self) {
        self.readers.wait_until_ended();
        self.folding.wait_until_ended();
    }
}

/// Works until the queue is closed and empty.
pub(crate) fn run_writer(
    mut state: WriterState,
    mut keeper: LogKeeper,
    queue: &Arc<WriteQueue>,
    others: &Others,
) {
    let guard = EndGuard { queue: Arc::clone(queue), others: others.clone() };
    // A start is like a commit: the process before may have left something to do.
    let mut patience = Some(IDLE_AFTER);
    let mut commits_without_step = 0;
    let mut quiet_for = IDLE_AFTER;
    loop {
        match queue.next(patience, Terms { quiet_for, under_load: state.under_load() }) {
            Next::Commit(batch) => {
                state.apply(batch, Pace::Loaded);
                state.keep_indexes_up();
                keeper.keep(state.connection());
                commits_without_step += 1;
                (patience, quiet_for) = (Some(IDLE_AFTER), IDLE_AFTER);
            }
            Next::Background(job) => {
                state.apply(vec![job], Pace::Idle);
                quiet_for = Duration::ZERO;
            }
            Next::Idle => {
                commits_without_step = 0;
                patience = state.upkeep_step().then_some(Duration::ZERO);
                quiet_for = Duration::ZERO;
            }
            Next::End => break,
        }
        if commits_without_step >= COMMITS_WITHOUT_STEP_MAX {
            commits_without_step = 0;
            state.upkeep_step();
        }
    }
    others.close();
    others.wait_until_ended();
    drop(state);
    drop(guard);
}

/// Lets nobody wait for a writer that is gone, however it went.
struct EndGuard {
    queue: Arc<WriteQueue>,
    others: Others,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.others.close();
        self.queue.end();
    }
}
