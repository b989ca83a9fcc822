//! What all work on the store's thread shares, and what it shares with the handles.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use signalpost_core::ports::Clock;
use signalpost_store::news::CommitNews;
use signalpost_store::{CommitListener, Ownership};

use crate::changes::note::Changed;
use crate::nodes::{Duty, Process};
use crate::retention::Walk;
use crate::write::News;

/// What the store's thread and the handles of the store share.
pub(crate) struct Board {
    pub(crate) highest_id: AtomicI64,
    pub(crate) listener: Mutex<Option<Arc<dyn CommitListener>>>,
    /// Answers kept for calls that went before their time, since the store was opened.
    pub(crate) answers_forgotten: AtomicU64,
    pub(crate) ownership: Arc<Ownership>,
    /// Outcomes that came when their lane groups were somebody else's, since the store was opened.
    outcomes_fenced: AtomicU64,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            highest_id: AtomicI64::default(),
            listener: Mutex::default(),
            answers_forgotten: AtomicU64::default(),
            ownership: Arc::new(Ownership::of_none()),
            outcomes_fenced: AtomicU64::default(),
        }
    }

    /// Counts outcomes that were refused, and tells of them: whoever has the groups by now sends those deliveries again.
    pub(crate) fn note_fenced(&self, outcomes: usize) {
        if outcomes > 0 {
            self.outcomes_fenced.fetch_add(u64::try_from(outcomes).unwrap_or(u64::MAX), Ordering::Relaxed);
            tracing::warn!(outcomes, "outcomes came too late: other nodes deliver for these webhooks by now");
        }
    }
}

/// What all work on the store's thread shares.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) process: Process,
    pub(crate) duty: Duty,
    /// See [`crate::locks`].
    pub(crate) schema_key: i64,
    /// Tells what this process has changed from what others have.
    pub(crate) origin: i64,
    pub(crate) board: Arc<Board>,
    /// Bytes of answers kept for calls, as far as this node knows: what others keep it learns when it asks again.
    pub(crate) kept_in_all: Cell<Option<i64>>,
    /// How far superseded places were looked for: workspace and sequence.
    pub(crate) places_looked_at: Cell<(i64, i64)>,
    pub(crate) retention: RefCell<Walk>,
}

impl Shared {
    /// Tells of a commit, before whoever asked for it is answered.
    pub(crate) fn tell(&self, news: News) {
        self.board.highest_id.fetch_max(news.highest_id, Ordering::AcqRel);
        self.board.answers_forgotten.fetch_add(news.answers_forgotten, Ordering::Relaxed);
        self.kept_in_all.set(self.kept_in_all.get().map(|bytes| bytes + news.kept_bytes));
        if let Some(Changed { upto, revokes }) = news.changed {
            tracing::debug!(upto, revokes, "what other nodes remember was changed");
        }
        let News { accepted, requeued, released, .. } = news;
        CommitNews { accepted, requeued, released }.tell(&self.board.listener);
    }
}
