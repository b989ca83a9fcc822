//! What all work on the store's thread shares, and what it shares with the handles.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use signalpost_core::cell::CellNumber;
use signalpost_core::ports::Clock;
use signalpost_store::news::CommitNews;
use signalpost_store::{CommitListener, Ownership};
use tokio::sync::{Mutex, Notify};

use crate::bells::Bells;
use crate::changes::settle::Settling;
use crate::failure::Failure;
use crate::locks::schema_key;
use crate::nodes::{Duty, Process};
use crate::retention::Walk;
use crate::session::Session;
use crate::shown::Shown;
use crate::write::News;
use crate::{changes, meta};

/// Beyond so many nodes nothing waits longer.
const PATIENT_NODES_MAX: u32 = 4;

/// What the store's thread and the handles of the store share.
pub(crate) struct Board {
    pub(crate) highest_id: AtomicI64,
    pub(crate) listener: std::sync::Mutex<Option<Arc<dyn CommitListener>>>,
    /// Answers kept for calls that went before their time, since the store was opened.
    pub(crate) answers_forgotten: AtomicU64,
    pub(crate) ownership: Arc<Ownership>,
    /// Groups have changed hands, or this node is to give its own up.
    pub(crate) groups_moved: Arc<Notify>,
}

impl Board {
    pub(crate) fn new() -> Self {
        let (ownership, groups_moved) = (Arc::new(Ownership::of_none()), Arc::new(Notify::new()));
        let moved = Arc::clone(&groups_moved);
        ownership.on_retirement(Arc::new(move || moved.notify_one()));
        Self {
            highest_id: AtomicI64::default(),
            listener: std::sync::Mutex::default(),
            answers_forgotten: AtomicU64::default(),
            ownership,
            groups_moved,
        }
    }

    /// Counts outcomes that were refused, and tells of them: whoever has the groups by now sends those deliveries again.
    pub(crate) fn note_fenced(&self, outcomes: usize) {
        if outcomes > 0 {
            self.ownership.counts().outcomes_fenced.add(outcomes);
            tracing::warn!(outcomes, "outcomes came too late: other nodes deliver for these webhooks by now");
        }
    }
}

/// What all work on the store's thread shares.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) process: Process,
    pub(crate) duty: Duty,
    /// Which part of an installation this database is; `None` for the whole.
    pub(crate) cell: Option<CellNumber>,
    /// See [`crate::locks`].
    pub(crate) schema_key: i64,
    /// The server does not let us end sessions of others, and it was said so.
    pub(crate) cannot_end_sessions: Cell<bool>,
    /// How many nodes live, as it was last seen.
    pub(crate) living: Cell<u32>,
    /// Of this node, which changes when the others have thought it to be gone.
    pub(crate) token: Cell<i64>,
    pub(crate) bells: Bells,
    pub(crate) shown: Rc<Shown>,
    /// The number of the change up to which this node goes by what others have changed.
    pub(crate) seen: Cell<i64>,
    /// Held while it is being raised.
    pub(crate) catching_up: Mutex<()>,
    pub(crate) settling: Settling,
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
    /// Of a schema that is up to date, which it is read through.
    pub(crate) async fn read(
        session: &Session,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        process: Process,
        (duty, cell): (Duty, Option<CellNumber>),
    ) -> Result<Self, Failure> {
        let highest = meta::highest_id(session).await?;
        board.highest_id.fetch_max(highest, Ordering::AcqRel);
        Ok(Self {
            clock,
            process,
            duty,
            cell,
            schema_key: schema_key(session).await?,
            cannot_end_sessions: Cell::new(false),
            living: Cell::new(1),
            token: Cell::new(0),
            bells: Bells::default(),
            shown: Rc::default(),
            seen: Cell::new(changes::read::newest(session).await?),
            catching_up: Mutex::default(),
            settling: Settling::default(),
            origin: changes::origin(session).await?,
            board,
            kept_in_all: Cell::new(None),
            places_looked_at: Cell::new((i64::MIN, i64::MIN)),
            retention: RefCell::default(),
        })
    }

    /// For how long something may wait for company that nobody waits for: each node has a part of what one alone would have, and
    /// all together are to make about as many commits.
    pub(crate) fn patience(&self, alone: Duration) -> Duration {
        alone * self.living.get().clamp(1, PATIENT_NODES_MAX)
    }

    /// Tells of a commit, before whoever asked for it is answered.
    pub(crate) fn tell(&self, mut news: News) {
        news.leave_out_shown();
        self.board.highest_id.fetch_max(news.highest_id, Ordering::AcqRel);
        self.board.answers_forgotten.fetch_add(news.answers_forgotten, Ordering::Relaxed);
        self.bells.note(&news, &self.board.ownership);
        self.kept_in_all.set(self.kept_in_all.get().map(|bytes| bytes + news.kept_bytes));
        let News { accepted, requeued, released, .. } = news;
        CommitNews { accepted, requeued, released }.tell(&self.board.listener);
    }
}
