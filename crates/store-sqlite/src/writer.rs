//! Applying a batch: one transaction for all of it, or one for each operation when one of them spoils it.
//!
//! A plain function of the batch. The thread (`threaded`) and the inline executor (`inline`) are two shells
//! around it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use signalpost_store::CommitListener;

use crate::failure::Failure;
use crate::job::Job;
use crate::ledger::upkeep::{self, Eagerness};
use crate::meta;
use crate::open::{Directory, OpenError};
use crate::write::{Caches, News, Write};

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// Events that may stand outside the listing indexes: what a list has to scan at most, some 10 ms.
const UNINDEXED_MAX: u64 = 20_000;

/// What the writer and the handles of the store share.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) highest_id: AtomicI64,
    pub(crate) listener: Mutex<Option<Arc<dyn CommitListener>>>,
}

pub(crate) struct WriterState {
    connection: Connection,
    caches: Caches,
    board: Arc<Board>,
    /// Last, so that the lock goes after the connection.
    directory: Directory,
}

impl WriterState {
    pub(crate) fn open(directory: Directory) -> Result<Self, OpenError> {
        let connection = directory.connect_writer()?;
        let board = Arc::new(Board::default());
        board.highest_id.store(meta::read_highest_id(&connection)?, Ordering::Release);
        Ok(Self { connection, caches: Caches::default(), board, directory })
    }

    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// For reads, when there are no readers apart.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Commits a batch, tells the listener, answers the callers; keeps the unindexed tail within its bound.
    pub(crate) fn apply(&mut self, batch: Vec<Box<dyn Job>>) {
        self.commit(batch);
        self.caches.trim();
        while self.caches.index.is_some_and(|index| index.unindexed > UNINDEXED_MAX) {
            if self.transact(upkeep::index_step).is_none() {
                break;
            }
        }
    }

    /// One bounded step of housekeeping; `true` when there is more to do.
    pub(crate) fn upkeep_step(&mut self) -> bool {
        self.transact(|write| upkeep::step(write, Eagerness::Worthwhile)).unwrap_or(false)
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let run = |write: &mut Write<'_>| batch.iter_mut().try_for_each(|job| job.run(write));
        match self.try_transact(run) {
            Ok(((), news)) => {
                self.tell(news);
                batch.into_iter().for_each(Job::answer);
            }
            Err(failure) if batch.len() > 1 && !failure.is_of_the_medium() => {
                tracing::warn!(
                    problem = failure.describe(),
                    operations = batch.len(),
                    "a commit was spoilt by one operation; each is tried by itself"
                );
                batch.into_iter().for_each(|job| self.commit(vec![job]));
            }
            Err(failure) => {
                let problem = failure.describe();
                tracing::error!(
                    problem,
                    operations = batch.len(),
                    "a commit failed; nothing of it was stored"
                );
                batch.into_iter().for_each(|job| job.fail(&problem));
            }
        }
    }

    /// Runs work of the store's own; a failure is logged and harms nobody.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>) -> Option<T> {
        match self.try_transact(work) {
            Ok((value, _)) => Some(value),
            Err(failure) => {
                tracing::error!(problem = failure.describe(), "a step of housekeeping failed");
                None
            }
        }
    }

    /// One transaction: committed and synced, or rolled back with everything that was remembered of it.
    fn try_transact<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>,
    ) -> Result<(T, News), Failure> {
        let result = self.begin_work_commit(work);
        if result.is_err() {
            self.caches = Caches::default();
            self.roll_back();
        }
        result
    }

    fn begin_work_commit<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>,
    ) -> Result<(T, News), Failure> {
        self.connection.prepare_cached(BEGIN)?.execute([])?;
        let mut write = Write::new(&self.connection, &mut self.caches);
        // After a panic everything that the work could reach is dropped or rolled back, or is a job that starts
        // its next run from the beginning.
        let value = catch_unwind(AssertUnwindSafe(|| work(&mut write))).unwrap_or(Err(Failure::Panicked))?;
        write.flush()?;
        let news = std::mem::take(&mut write.news);
        drop(write);
        self.connection.prepare_cached(COMMIT)?.execute([])?;
        Ok((value, news))
    }

    fn roll_back(&self) {
        // Some errors have ended the transaction already.
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch(ROLLBACK) {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    fn tell(&self, news: News) {
        self.board.highest_id.fetch_max(news.highest_id, Ordering::AcqRel);
        if news.accepted.is_empty() && news.requeued.is_empty() {
            return;
        }
        let listener = self.board.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(listener) = listener else { return };
        let told = catch_unwind(AssertUnwindSafe(|| {
            if !news.accepted.is_empty() {
                listener.accepted(news.accepted);
            }
            for (due, workspace) in news.requeued {
                listener.requeued(due, workspace);
            }
        }));
        if told.is_err() {
            tracing::error!("the listener of commits panicked; what it missed is found by reconciling");
        }
    }
}
