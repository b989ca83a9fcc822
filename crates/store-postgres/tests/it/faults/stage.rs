//! A store on a server of its own, publishers who count what they were told, and the comparison with what is stored.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::delivery::Due;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_store::ledger::{DueOrder, DuePage, ListEvents};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_store_postgres::{ANSWER_TIMEOUT, OpenOptions, PostgresStore};
use signalpost_testkit::{Postgres, Rng, wait_for};

use crate::support::{SystemThreads, options};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const PUBLISHERS: i64 = 3;
const PAYLOAD_BYTES: usize = 64 * 1024;

/// A store on a server of its own, with one webhook.
pub(super) struct Stage {
    pub(super) server: Postgres,
    threads: SystemThreads,
    pub(super) store: Arc<PostgresStore>,
    pub(super) workspace: WorkspaceId,
    pub(super) webhook: WebhookId,
    version: u64,
    payload: Bytes,
}

/// What publishers were told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) acknowledged: BTreeSet<i64>,
    /// Without an acknowledgement: they may be stored or not.
    pub(super) unknown: BTreeSet<i64>,
}

/// What publishers see while they publish.
#[derive(Default)]
pub(super) struct Progress {
    acknowledged: AtomicI64,
    refusals: AtomicI64,
    full: AtomicI64,
    last_refusal: Mutex<String>,
}

/// Lets the publishers end, also when something is found to be wrong.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Progress {
    /// Waits until so many more events are acknowledged.
    pub(super) fn more_acknowledged(&self, count: i64) {
        let enough = self.acknowledged.load(Ordering::Relaxed) + count;
        let has_come = || self.acknowledged.load(Ordering::Relaxed) > enough;
        if let Err(problem) = wait_for("events to be acknowledged", PATIENCE, has_come) {
            panic!("{problem}; the last refusal: {}", self.last_refusal());
        }
    }

    /// Waits until every publisher, more or less, was refused.
    pub(super) fn all_refused(&self) {
        let enough = self.refusals.load(Ordering::Relaxed) + PUBLISHERS;
        let has_come = || self.refusals.load(Ordering::Relaxed) >= enough;
        wait_for("publishers to be refused", PATIENCE, has_come).expect("nobody waits for ever");
    }

    pub(super) fn refusals(&self) -> i64 {
        self.refusals.load(Ordering::Relaxed)
    }

    pub(super) fn full(&self) -> i64 {
        self.full.load(Ordering::Relaxed)
    }

    pub(super) fn last_refusal(&self) -> String {
        self.last_refusal.lock().expect("nobody panics here").clone()
    }

    fn refused(&self, refusal: StoreError) {
        match &refusal {
            StoreError::Full => drop(self.full.fetch_add(1, Ordering::Relaxed)),
            StoreError::Unavailable(_) => {}
            other => panic!("{other}"),
        }
        *self.last_refusal.lock().expect("nobody panics here") = refusal.to_string();
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::on(Postgres::start(&[]).expect("a server"))
    }

    pub(super) fn on(server: Postgres) -> Self {
        let url = server.url();
        Self::reached_by(server, url, ANSWER_TIMEOUT)
    }

    /// A store with a URL of its own and less patience than usual.
    pub(super) fn reached_by(server: Postgres, url: String, answer_timeout: Duration) -> Self {
        let threads = SystemThreads::default();
        let options = OpenOptions { answer_timeout, ..options(&url, "faults", &threads) };
        let store = Arc::new(PostgresStore::open(options).expect("it opens"));
        let workspace = sample::workspace(1);
        let (id, webhook) = (workspace.id, sample::webhook(workspace.id, 11));
        let lane = webhook.id;
        block_on(store.create_workspace(workspace)).expect("a workspace");
        block_on(store.create_webhook(webhook.into())).expect("a webhook");
        let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
        Self {
            server,
            threads,
            store,
            workspace: id,
            webhook: lane,
            version,
            payload: Bytes::from_static(b"{}"),
        }
    }

    /// Publishes one event: by what it is owed.
    pub(super) fn publish_one(&self) -> Due {
        let event = sample::event(self.workspace, 1_000, self.version, &[self.webhook]);
        block_on(self.store.accept(vec![event])).expect("it is accepted");
        let page = DuePage { webhook: self.webhook, limit: 1, order: DueOrder::OLDEST_FIRST };
        block_on(self.store.due_page(page)).expect("it reads").pop().expect("it is owed")
    }

    /// From now on events take room, however they are packed.
    pub(super) fn publish_much(&mut self) {
        let mut random = Rng::new(7);
        self.payload = (0..PAYLOAD_BYTES / 8).flat_map(|_| random.next_u64().to_le_bytes()).collect();
    }

    /// Publishes from several threads while something happens to the server, and some more afterwards.
    pub(super) fn publish_while(&mut self, trouble: impl FnOnce(&mut Postgres, &Progress)) -> Told {
        let (stop, next, progress) = (AtomicBool::new(false), AtomicI64::new(1_000), Progress::default());
        let Self { server, store, workspace, webhook, version, payload, .. } = self;
        let publish = || {
            let mut told = Told::default();
            while !stop.load(Ordering::Relaxed) {
                let id = next.fetch_add(1, Ordering::Relaxed);
                let mut event = sample::event(*workspace, id, *version, &[*webhook]);
                event.content.data = payload.clone();
                match block_on(store.accept(vec![event])) {
                    Ok(_) => {
                        told.acknowledged.insert(id);
                        progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(refusal) => {
                        told.unknown.insert(id);
                        progress.refused(refusal);
                    }
                }
            }
            told
        };
        thread::scope(|scope| {
            let stopping = Stopping(&stop);
            let publishers: Vec<_> = (0..PUBLISHERS).map(|_| scope.spawn(publish)).collect();
            progress.more_acknowledged(50);
            trouble(server, &progress);
            progress.more_acknowledged(50);
            drop(stopping);
            let mut told = Told::default();
            for publisher in publishers {
                let one = publisher.join().expect("no publisher panics");
                told.acknowledged.extend(one.acknowledged);
                told.unknown.extend(one.unknown);
            }
            told
        })
    }

    /// Every acknowledged event is there and owed once, and nothing else but what nobody was told about.
    pub(super) fn check(self, told: &Told) {
        self.check_but(told, &BTreeSet::new());
    }

    /// The same where these events were delivered.
    pub(super) fn check_but(self, told: &Told, delivered: &BTreeSet<i64>) {
        let stored = self.stored();
        let lost: Vec<_> = told.acknowledged.difference(&stored).collect();
        assert_eq!(lost, Vec::<&i64>::new(), "acknowledged, and not there");
        let known = &told.acknowledged | &told.unknown;
        assert_eq!(
            stored.difference(&known).collect::<Vec<_>>(),
            Vec::<&i64>::new(),
            "there, and never published"
        );
        let page = DuePage { webhook: self.webhook, limit: 1_000_000, order: DueOrder::OLDEST_FIRST };
        let owed = block_on(self.store.due_page(page)).expect("it reads");
        let owed_events: BTreeSet<i64> = owed.iter().map(|due| due.id.event.raw()).collect();
        let expected = &stored - delivered;
        assert_eq!((owed.len(), &owed_events), (expected.len(), &expected), "each is owed once");
        let mut births: Vec<i64> = owed.iter().map(|due| due.born.0).collect();
        births.sort_unstable();
        births.dedup();
        assert_eq!(births.len(), owed.len(), "no place of the sequence was given twice");
        let Self { store, threads, .. } = self;
        drop(store);
        threads.join();
    }

    pub(super) fn stored(&self) -> BTreeSet<i64> {
        let mut stored = BTreeSet::new();
        let mut before: Option<EventId> = None;
        loop {
            let list =
                ListEvents { workspace: self.workspace, event_type: None, subject: None, before, limit: 500 };
            let page = block_on(self.store.list_events(list)).expect("it reads");
            stored.extend(page.rows.iter().map(|event| event.id.raw()));
            match page.next {
                Some(next) => before = Some(next),
                None => return stored,
            }
        }
    }
}
