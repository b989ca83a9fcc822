//! What the server may do to a store that works on it: crash, stop, cut connections, hold locks. Nothing that was acknowledged
//! is lost, nothing is stored twice, and the store goes on by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_store::ledger::{DueOrder, DuePage, ListEvents};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_store_postgres::{OpenOptions, PostgresStore};
use signalpost_testkit::{Postgres, wait_for};

use crate::support::{SystemThreads, no_tls, say_to};

const PATIENCE: Duration = Duration::from_secs(60);
const PUBLISHERS: i64 = 3;

/// A store on a server of its own, with one webhook.
struct Stage {
    server: Postgres,
    threads: SystemThreads,
    store: Arc<PostgresStore>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    version: u64,
}

/// What publishers were told.
#[derive(Default)]
struct Told {
    acknowledged: BTreeSet<i64>,
    /// Without an acknowledgement: they may be stored or not.
    unknown: BTreeSet<i64>,
}

impl Stage {
    fn new() -> Self {
        let server = Postgres::start(&[]).expect("a server");
        let threads = SystemThreads::default();
        let (url, schema) = (server.url(), "faults".to_owned());
        let options = OpenOptions { url, schema, tls: &no_tls, threads: &threads };
        let store = Arc::new(PostgresStore::open(options).expect("it opens"));
        let workspace = sample::workspace(1);
        let (id, webhook) = (workspace.id, sample::webhook(workspace.id, 11));
        let lane = webhook.id;
        block_on(store.create_workspace(workspace)).expect("a workspace");
        block_on(store.create_webhook(webhook.into())).expect("a webhook");
        let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
        Self { server, threads, store, workspace: id, webhook: lane, version }
    }

    /// Publishes from several threads while something happens to the server, and some more afterwards.
    fn publish_while(&mut self, trouble: impl FnOnce(&mut Postgres)) -> Told {
        let (stop, next) = (AtomicBool::new(false), AtomicI64::new(1_000));
        let acknowledged = AtomicI64::new(0);
        let (store, workspace, webhook, version) = (&self.store, self.workspace, self.webhook, self.version);
        let publish = || {
            let mut told = Told::default();
            while !stop.load(Ordering::Relaxed) {
                let id = next.fetch_add(1, Ordering::Relaxed);
                let event = sample::event(workspace, id, version, &[webhook]);
                match block_on(store.accept(vec![event])) {
                    Ok(_) => {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                        told.acknowledged.insert(id);
                    }
                    Err(StoreError::Unavailable(_)) => {
                        told.unknown.insert(id);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            told
        };
        let more_than = |count: i64| {
            let has_come = || acknowledged.load(Ordering::Relaxed) > count;
            wait_for("events to be acknowledged", PATIENCE, has_come).expect("the store works");
        };
        thread::scope(|scope| {
            let publishers: Vec<_> = (0..PUBLISHERS).map(|_| scope.spawn(publish)).collect();
            more_than(50);
            trouble(&mut self.server);
            more_than(acknowledged.load(Ordering::Relaxed) + 50);
            stop.store(true, Ordering::Relaxed);
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
    fn check(self, told: &Told) {
        let stored = self.stored();
        let lost: Vec<_> = told.acknowledged.difference(&stored).collect();
        assert_eq!(lost, Vec::<&i64>::new(), "acknowledged, and not there");
        let known = &told.acknowledged | &told.unknown;
        assert_eq!(
            stored.difference(&known).collect::<Vec<_>>(),
            Vec::<&i64>::new(),
            "there, and never published"
        );
        let page = DuePage { webhook: self.webhook, limit: 1_000_000, order: DueOrder::OldestFirst };
        let owed = block_on(self.store.due_page(page)).expect("it reads");
        let owed_events: BTreeSet<i64> = owed.iter().map(|due| due.id.event.raw()).collect();
        assert_eq!((owed.len(), &owed_events), (stored.len(), &stored), "each is owed once");
        let mut births: Vec<i64> = owed.iter().map(|due| due.born.0).collect();
        births.sort_unstable();
        births.dedup();
        assert_eq!(births.len(), owed.len(), "no place of the sequence was given twice");
        let Self { store, threads, .. } = self;
        drop(store);
        threads.join();
    }

    fn stored(&self) -> BTreeSet<i64> {
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

#[test]
fn a_crash_of_the_server_loses_nothing() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server| {
        server.crash().expect("it ends");
        server.launch().expect("it recovers");
    });
    // Who was in the way of it may have been told in the end that the event is stored.
    assert!(!told.acknowledged.is_empty());
    stage.check(&told);
}

#[test]
fn a_restart_of_the_server_loses_nothing() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server| {
        server.stop().expect("it ends");
        server.launch().expect("it starts");
    });
    stage.check(&told);
}

/// Whoever was told nothing is told the truth: the store asks the server what became of the commit.
#[test]
fn connections_that_are_cut_leave_no_doubt() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server| {
        for _ in 0..30 {
            say_to(
                &server.url(),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'signalpost' AND pid <> pg_backend_pid()",
            );
            thread::yield_now();
        }
    });
    let stored = stage.stored();
    let kept: Vec<_> = told.unknown.intersection(&stored).collect();
    assert_eq!(kept, Vec::<&i64>::new(), "refused, and there all the same");
    stage.check(&told);
}

/// A statement that waits for a lock gives up in time, and nobody is told that something is stored that is not.
#[test]
fn a_table_that_a_stranger_locks_is_waited_for_in_bounds() {
    let mut stage = Stage::new();
    let told = stage.publish_while(|server| {
        say_to(
            &server.url(),
            "BEGIN; LOCK TABLE faults.message IN EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT",
        );
    });
    assert_eq!(told.unknown, BTreeSet::new(), "a second is nothing");
    stage.check(&told);
}
