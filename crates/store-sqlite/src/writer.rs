//! Applying a batch: one transaction for all of it, or one for each operation when one of them spoils it.
//!
//! A plain function of the batch. The thread (`threaded`) and the inline executor (`inline`) are two shells
//! around it.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use signalpost_core::limits::{UNINDEXED_EVENTS_MAX, UPKEEP_ROWS_MAX};
use signalpost_store::ledger::Room;
use signalpost_store::news::CommitNews;
use signalpost_store::{CommitListener, StoreError};

use crate::disk::Disk;
use crate::failure::Failure;
use crate::fold::LogKeeper;
use crate::job::{Growth, Job};
use crate::ledger::upkeep::{self, Eagerness};
use crate::meta;
use crate::open::{Directory, OpenError, PAGE_BYTES};
use crate::queue::UnderLoad;
use crate::retention::unlist;
use crate::write::{Caches, News, Write};

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// Rows that background work touches in a commit which it shares: some 2 ms.
const SHARED_ROWS_MAX: usize = UPKEEP_ROWS_MAX / 2;
/// Below this it waits for the next commit: a step for a few rows is not worth its beginning.
const SHARED_ROWS_MIN: usize = 100;
/// What background work earns by each row that others write. An event and its delivery write four in their commits, and
/// take five touches to go, or seven when their payload goes first: at one for one the bounds would not be kept.
const CREDIT_PER_ROW: usize = 2;
/// Credit beyond this is lost: what was not used in time must not come in one go.
const CREDIT_ROWS_MAX: usize = 4 * UPKEEP_ROWS_MAX;

/// What the writer and the handles of the store share.
pub(crate) struct Board {
    pub(crate) highest_id: AtomicI64,
    pub(crate) listener: Mutex<Option<Arc<dyn CommitListener>>>,
    pub(crate) disk: Disk,
    /// Answers kept for calls that went before their time, since the store was opened.
    pub(crate) answers_forgotten: AtomicU64,
}

/// How much background work may do in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Others wait: about as many rows as they have written since.
    Loaded,
    Idle,
}

pub(crate) struct WriterState {
    connection: Connection,
    caches: Caches,
    board: Arc<Board>,
    /// Rows that others have written and background work has not yet made up for.
    credit_rows: usize,
    /// Rows that background work may touch in the present commit.
    allowance: usize,
    /// Last, so that the lock goes after the connection.
    directory: Directory,
}

impl WriterState {
    pub(crate) fn open(directory: Directory, disk: Disk) -> Result<Self, OpenError> {
        let connection = directory.connect_writer()?;
        let board = Arc::new(Board {
            highest_id: AtomicI64::new(meta::read_highest_id(&connection)?),
            listener: Mutex::default(),
            disk,
            answers_forgotten: AtomicU64::new(0),
        });
        Ok(Self { connection, caches: Caches::default(), board, credit_rows: 0, allowance: 0, directory })
    }

    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn log_keeper(&self) -> Result<LogKeeper, OpenError> {
        let frames: c_int =
            self.connection.pragma_query_value(None, "wal_autocheckpoint", |row| row.get(0))?;
        Ok(LogKeeper::new(frames))
    }

    /// For reads, when there are no readers apart.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether work in the background may share the next commit.
    pub(crate) const fn under_load(&self) -> UnderLoad {
        if self.credit_rows >= SHARED_ROWS_MIN { UnderLoad::Joins } else { UnderLoad::Waits }
    }

    /// Commits a batch, tells the listener, answers the callers; keeps the unindexed tail within its bound.
    pub(crate) fn apply(&mut self, batch: Vec<Box<dyn Job>>, pace: Pace) {
        self.allowance = match pace {
            Pace::Loaded => self.credit_rows.min(SHARED_ROWS_MAX),
            Pace::Idle => UPKEEP_ROWS_MAX,
        };
        match self.look_at_disk() {
            Room::Enough => self.commit(batch),
            Room::Full => self.commit_needed(batch),
        }
        self.caches.trim();
        while self.caches.index.is_some_and(|index| index.unindexed > UNINDEXED_EVENTS_MAX) {
            if self.transact(upkeep::index_step).is_none() {
                break;
            }
        }
        while self.caches.unlisted.is_some_and(|unlisted| unlisted > UNINDEXED_EVENTS_MAX) {
            if self.transact(unlist::step).is_none() {
                break;
            }
        }
    }

    /// A small step of the listing indexes where enough has come for one. Among commits, for idle time may never come, and
    /// after many of them a step would hold publishers up that is as long as ten commits.
    pub(crate) fn keep_indexes_up(&mut self) {
        if self.caches.index.is_some_and(|index| upkeep::wants_small_index_step(index.unindexed)) {
            self.transact(upkeep::small_index_step);
        }
    }

    /// One bounded step of housekeeping; `true` when there is more to do.
    pub(crate) fn upkeep_step(&mut self) -> bool {
        self.transact(|write| upkeep::step(write, Eagerness::Worthwhile)).unwrap_or(false)
    }

    /// At the beginning of a shortage the log is folded back as far as readers permit, while there is room for it.
    fn look_at_disk(&mut self) -> Room {
        let disk = &self.board.disk;
        let before = disk.was();
        let room = disk.look(|| free_inside_bytes(&self.connection));
        if before == Room::Enough && room == Room::Full {
            // Not done is not lost: the log is kept, and the next checkpoint tries again.
            let folded = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            if let Err(error) = folded {
                tracing::warn!(%error, "the write-ahead log could not be folded back");
            }
        }
        room
    }

    /// Refuses what makes the store grow, and commits the rest.
    fn commit_needed(&mut self, batch: Vec<Box<dyn Job>>) {
        let (growing, needed): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|job| job.growth() == Growth::Grows);
        growing.into_iter().for_each(|job| job.fail(StoreError::Full));
        if !needed.is_empty() {
            self.commit(needed);
        }
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let before = self.connection.total_changes();
        let run = |write: &mut Write<'_>| batch.iter_mut().try_for_each(|job| job.run(write));
        match self.try_transact(run) {
            Ok(((), news)) => {
                self.settle_credit(self.connection.total_changes() - before, news.background_rows);
                if batch.iter().any(|job| job.growth() == Growth::Grows) {
                    self.board.disk.has_grown();
                }
                self.tell(news);
                batch.into_iter().for_each(Job::answer);
            }
            Err(failure) if failure.is_full() => {
                self.board.disk.write_failed();
                if batch.iter().any(|job| job.growth() == Growth::Grows) {
                    return self.commit_needed(batch);
                }
                batch.into_iter().for_each(|job| job.fail(StoreError::Full));
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
                batch.into_iter().for_each(|job| job.fail(StoreError::Unavailable(problem.clone())));
            }
        }
    }

    fn settle_credit(&mut self, changed_rows: u64, background_rows: usize) {
        let changed = usize::try_from(changed_rows).unwrap_or(usize::MAX);
        let earned = CREDIT_PER_ROW.saturating_mul(changed.saturating_sub(background_rows));
        let earned = self.credit_rows.saturating_add(earned);
        self.credit_rows = earned.saturating_sub(background_rows).min(CREDIT_ROWS_MAX);
    }

    /// Runs work of the store's own; a failure is logged and harms nobody.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>) -> Option<T> {
        match self.try_transact(work) {
            Ok((value, news)) => {
                self.tell(news);
                Some(value)
            }
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
        let mut write = Write::new(&self.connection, &mut self.caches, self.allowance);
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
        self.board.answers_forgotten.fetch_add(news.answers_forgotten, Ordering::Relaxed);
        let News { accepted, requeued, released, .. } = news;
        CommitNews { accepted, requeued, released }.tell(&self.board.listener);
    }
}

/// What the database can use again without growing.
fn free_inside_bytes(connection: &Connection) -> u64 {
    let pages: rusqlite::Result<i64> = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0));
    pages.ok().and_then(|pages| u64::try_from(pages).ok()).unwrap_or(0) * PAGE_BYTES
}
