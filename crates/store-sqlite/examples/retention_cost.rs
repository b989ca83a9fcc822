//! What retention costs those who publish: CPU of the whole process, throughput and commit times without it, and with
//! it at work.
//!
//! `cargo run --release -p signalpost-store-sqlite --example retention_cost -- [SECONDS] [KEPT] [DIRECTORY]` fills a
//! store with KEPT events (default 200,000), publishes for SECONDS (default 20) and records every delivery, then does
//! the same while retention holds the store at KEPT. Calls come in groups of 64, as from so many publishers. At the
//! end it erases a workspace with 100,000 webhooks while others publish.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it brings its own threads and clock")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::ports::Threads;
use signalpost_core::retention::RetentionRules;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::ledger::{AcceptEvent, Finished, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_sqlite::{OpenOptions, SqliteStore};
use signalpost_testkit::TempDir;

const WORKSPACES: i64 = 100;
const PAYLOAD_BYTES: usize = 512;
const GROUP: usize = 64;
const FILL_GROUP: usize = 1_000;
const ERASED: i64 = 1_000_000;
const ERASED_WEBHOOKS: i64 = 100_000;

struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
    }
}

/// Events are accepted a millisecond apart by the time that the store is told, so the newest KEPT are that old.
struct Course {
    now_ms: AtomicI64,
    over: AtomicBool,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default: usize| arguments.next().map_or(default, |text| text.parse().expect("a whole number"));
    let (seconds, kept) = (number(20), number(200_000));
    let temporary = TempDir::new().expect("a directory");
    let directory = std::env::args().nth(3).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let mut bench = Bench::open(directory);
    bench.fill(kept);
    let lasting = Duration::from_secs(u64::try_from(seconds).expect("small"));
    println!(
        "{:<12} {:>12} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "retention", "CPU us/event", "events/s", "p50 ms", "p99 ms", "max ms", "stored"
    );
    bench.measure("off", lasting);
    let retainer = bench.retain(i64::try_from(kept).expect("small"));
    bench.settle(kept);
    bench.measure("at work", lasting);
    bench.course.over.store(true, Ordering::SeqCst);
    retainer.join().expect("the retainer does not panic");
    bench.erase_beside_publishers();
    block_on(bench.store.close()).expect("it closes");
}

struct Bench {
    store: Arc<SqliteStore>,
    course: Arc<Course>,
    version: u64,
    next: i64,
    payload: Bytes,
}

impl Bench {
    fn open(directory: PathBuf) -> Self {
        let options = OpenOptions { directory, threads: &SystemThreads, readers: 1 };
        let store = Arc::new(SqliteStore::open(options).expect("it opens"));
        for n in 1..=WORKSPACES {
            block_on(store.create_workspace(sample::workspace(n))).expect("a workspace");
            block_on(store.create_webhook(sample::webhook(WorkspaceId::from_raw(n), 1_000 + n).into()))
                .expect("a webhook");
        }
        let fan_out = block_on(store.fan_out(WorkspaceId::from_raw(1))).expect("it reads");
        let course = Arc::new(Course { now_ms: AtomicI64::new(0), over: AtomicBool::new(false) });
        let payload = Bytes::from(vec![b'7'; PAYLOAD_BYTES]);
        Self { store, course, version: fan_out.expect("it exists").version, next: 1 << 21, payload }
    }

    fn fill(&mut self, kept: usize) {
        for _ in 0..kept / FILL_GROUP {
            let events: Vec<AcceptEvent> = (0..FILL_GROUP).map(|_| self.event()).collect();
            let finished = events.iter().map(finished).collect();
            block_on(self.store.accept(events)).expect("they are accepted");
            block_on(self.store.finish(Arc::new(finished))).expect("they are recorded");
        }
    }

    /// Publishes until the time is up: a group of events, then their outcomes, as groups of calls.
    fn measure(&mut self, name: &str, lasting: Duration) {
        let (started, cpu_before, mut rounds_ms) = (Instant::now(), cpu_us(), Vec::new());
        while started.elapsed() < lasting {
            rounds_ms.push(self.round());
        }
        let events = as_f64(rounds_ms.len() * GROUP);
        let (cpu, per_s) = ((cpu_us() - cpu_before) / events, events / started.elapsed().as_secs_f64());
        rounds_ms.sort_by(f64::total_cmp);
        let at = |share: usize| rounds_ms[(rounds_ms.len() - 1) * share / 100];
        let stored = block_on(self.store.storage()).expect("it reads").events;
        let [p50, p99, max] = [50, 99, 100].map(at);
        println!("{name:<12} {cpu:>12.1} {per_s:>9.0} {p50:>9.2} {p99:>9.2} {max:>9.2} {stored:>10}");
    }

    /// In milliseconds.
    fn round(&mut self) -> f64 {
        let events: Vec<AcceptEvent> = (0..GROUP).map(|_| self.event()).collect();
        let outcomes: Vec<Finished> = events.iter().map(finished).collect();
        let began = Instant::now();
        let accepting: Vec<_> = events.into_iter().map(|event| self.store.accept(vec![event])).collect();
        block_on(join_all(accepting)).into_iter().for_each(|answer| drop(answer.expect("it is accepted")));
        block_on(self.store.finish(Arc::new(outcomes))).expect("they are recorded");
        self.course.now_ms.store(self.next, Ordering::SeqCst);
        began.elapsed().as_secs_f64() * 1_000.0
    }

    /// Walks as the engine does, with a second between two walks.
    fn retain(&self, kept: i64) -> std::thread::JoinHandle<()> {
        let (store, course) = (Arc::clone(&self.store), Arc::clone(&self.course));
        let age = Duration::from_millis(u64::try_from(kept).expect("small"));
        let rules = RetentionRules { event_age_max: Some(age), payload_age_max: None, bytes_max: None };
        std::thread::spawn(move || {
            while !course.over.load(Ordering::SeqCst) {
                let now = sample::at(course.now_ms.load(Ordering::SeqCst));
                let done =
                    block_on(store.retain(Retain { now, rules: rules.clone() })).expect("retention works");
                if !done.more {
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        })
    }

    /// Waits, publishing, until retention has caught up with what was stored before it began.
    fn settle(&mut self, kept: usize) {
        let enough = u64::try_from(kept + kept / 5).expect("small");
        while block_on(self.store.storage()).expect("it reads").events > enough {
            self.round();
        }
    }

    fn erase_beside_publishers(&mut self) {
        let gone = WorkspaceId::from_raw(ERASED);
        block_on(self.store.create_workspace(sample::workspace(ERASED))).expect("a workspace");
        let webhooks = (1..=ERASED_WEBHOOKS)
            .map(|n| self.store.create_webhook(sample::webhook(gone, ERASED + n).into()));
        let made: Vec<_> = webhooks.collect();
        block_on(join_all(made)).into_iter().for_each(|answer| answer.expect("a webhook"));
        let (store, began) = (Arc::clone(&self.store), Instant::now());
        let erasing = std::thread::spawn(move || {
            let params = EraseWorkspace { workspace: gone, at: sample::at(0) };
            block_on(store.erase_workspace(params)).expect("it exists").len()
        });
        let mut longest_ms: f64 = 0.0;
        while !erasing.is_finished() {
            longest_ms = longest_ms.max(self.round());
        }
        let ended = erasing.join().expect("it does not panic");
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "erased {ended} webhooks in {seconds:.2} s; the longest round beside it took {longest_ms:.1} ms"
        );
    }

    fn event(&mut self) -> AcceptEvent {
        self.next += 1;
        let n = self.next % WORKSPACES + 1;
        let lane = WebhookId::from_raw(1_000 + n);
        let mut event = sample::event(WorkspaceId::from_raw(n), self.next, self.version, &[lane]);
        event.id = EventId::from_raw(self.next << 12);
        event.content.attributes.clear();
        event.content.data = self.payload.clone();
        event
    }
}

fn finished(event: &AcceptEvent) -> Finished {
    let id = DeliveryId { event: event.id, webhook: event.targets[0] };
    let due = Due { id, due_at: event.accepted_at, born: Sequence(1), steps: 0, tries: 0, order: None };
    sample::finished(event.workspace, due, Verdict::Delivered)
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// CPU time of all living threads of this process.
fn cpu_us() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let of_task = |task: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.filter_map(of_task).sum::<f64>() / 1_000.0
}
