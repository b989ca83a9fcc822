//! What an event costs the store: CPU microseconds of the whole process for one accept and one finish.
//!
//! `cargo run --release -p signalpost-store-sqlite --example commit_cost -- [EVENTS] [STORED] [DIRECTORY]` measures
//! groups of 1, 16 and 128 calls a commit over EVENTS events each (default 100,000), then again with STORED events
//! in the file (default 1,000,000; 0 leaves that out). The listing indexes are filled inside the measured time. The
//! lines `feed` are those of workspaces with a feed.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "it brings its own threads and clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::ports::Threads;
use signalpost_core::profile::FeedRule;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_store::ledger::{AcceptEvent, Finished};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_sqlite::{OpenOptions, SqliteStore};
use signalpost_testkit::TempDir;

const WORKSPACES: i64 = 20;
const WEBHOOKS_EACH: i64 = 10;
const PAYLOAD_BYTES: usize = 1_024;
const ANSWER_BYTES: usize = 200;
const GROUPS: [usize; 3] = [1, 16, 128];
const FILL_GROUP: usize = 1_000;

struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default: usize| arguments.next().map_or(default, |text| text.parse().expect("a number of events"));
    let (events, stored) = (number(100_000), number(1_000_000));
    let temporary = TempDir::new().expect("a directory");
    let base = std::env::args().nth(3).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    println!(
        "{:<10} {:>9} {:>6} {:>12} {:>12} {:>10}",
        "shell", "stored", "group", "CPU us/event", "index us", "events/s"
    );
    let threads = Some(&SystemThreads as &dyn Threads);
    let cases = [
        ("inline", None, FeedRule::Absent),
        ("feed", None, FeedRule::Kept),
        ("threads", threads, FeedRule::Absent),
    ];
    for (shell, threads, feed) in cases {
        let directory = base.join(shell);
        let mut bench = Bench::open(&directory, threads, feed);
        bench.measure_groups(shell, 0, events);
        if stored > 0 {
            bench.fill(stored);
            bench.measure_groups(shell, stored, events);
        }
        block_on(bench.store.close()).expect("it closes");
        fs::remove_dir_all(&directory).expect("it is removed");
    }
}

/// The calls of one accept and one finish commit.
struct Round {
    accepts: Vec<Vec<AcceptEvent>>,
    finishes: Vec<Arc<Vec<Finished>>>,
}

struct Bench {
    store: SqliteStore,
    version: u64,
    next_id: i64,
    payload: Bytes,
    answer: Bytes,
}

impl Bench {
    fn open(directory: &Path, threads: Option<&dyn Threads>, feed: FeedRule) -> Self {
        let store = match threads {
            None => SqliteStore::open_inline(directory).expect("it opens"),
            Some(threads) => {
                let directory = directory.to_owned();
                SqliteStore::open(OpenOptions { directory, threads, readers: 1 }).expect("it opens")
            }
        };
        for workspace in 1..=WORKSPACES {
            let made = Workspace { feed, ..sample::workspace(workspace) };
            block_on(store.create_workspace(made)).expect("a workspace");
            for webhook in 0..WEBHOOKS_EACH {
                let webhook = sample::webhook(WorkspaceId::from_raw(workspace), workspace * 100 + webhook);
                block_on(store.create_webhook(webhook.into())).expect("a webhook");
            }
        }
        let fan_out = block_on(store.fan_out(WorkspaceId::from_raw(1))).expect("it reads");
        let version = fan_out.expect("it exists").version;
        let (payload, answer) =
            (Bytes::from(vec![b'7'; PAYLOAD_BYTES]), Bytes::from(vec![b'a'; ANSWER_BYTES]));
        Self { store, version, next_id: 1 << 40, payload, answer }
    }

    fn measure_groups(&mut self, shell: &str, stored: usize, events: usize) {
        for group in GROUPS {
            self.index_all();
            // Small groups are dear: fewer of them say as much.
            let rounds = (events / group).min(events / 8).max(1);
            let work: Vec<Round> = (0..rounds).map(|_| self.prepare(group, 1)).collect();
            let (cpu_before, started) = (cpu_us(), Instant::now());
            for round in work {
                self.run(round);
            }
            let (cpu_rounds, seconds) = (cpu_us(), started.elapsed().as_secs_f64());
            self.index_all();
            let count = as_f64(rounds * group);
            println!(
                "{shell:<10} {stored:>9} {group:>6} {:>12.1} {:>12.1} {:>10.0}",
                (cpu_rounds - cpu_before) / count,
                (cpu_us() - cpu_rounds) / count,
                count / seconds
            );
        }
    }

    fn fill(&mut self, stored: usize) {
        for _ in 0..stored / FILL_GROUP {
            let round = self.prepare(1, FILL_GROUP);
            self.run(round);
        }
        self.index_all();
    }

    /// What is published, and what becomes of it: not part of what is measured.
    fn prepare(&mut self, calls: usize, events: usize) -> Round {
        let accepts: Vec<Vec<AcceptEvent>> =
            (0..calls).map(|_| (0..events).map(|_| self.event()).collect()).collect();
        let finishes = accepts
            .iter()
            .map(|events| Arc::new(events.iter().map(|event| self.finished(event)).collect()))
            .collect();
        Round { accepts, finishes }
    }

    /// All accepts in one commit, then all finishes in another one.
    fn run(&self, round: Round) {
        let accepting: Vec<_> = round.accepts.into_iter().map(|events| self.store.accept(events)).collect();
        for answer in block_on(join_all(accepting)) {
            answer.expect("it is accepted");
        }
        let finishing: Vec<_> = round.finishes.into_iter().map(|one| self.store.finish(one)).collect();
        for answer in block_on(join_all(finishing)) {
            answer.expect("it is recorded");
        }
    }

    fn event(&mut self) -> AcceptEvent {
        self.next_id += 4_096;
        let n = self.next_id / 4_096;
        let workspace = n % WORKSPACES + 1;
        let webhook = WebhookId::from_raw(workspace * 100 + n / WORKSPACES % WEBHOOKS_EACH);
        let mut event = sample::event(WorkspaceId::from_raw(workspace), n, self.version, &[webhook]);
        event.id = EventId::from_raw(self.next_id);
        event.content.attributes.clear();
        event.content.data = self.payload.clone();
        event
    }

    fn finished(&self, event: &AcceptEvent) -> Finished {
        let id = DeliveryId { event: event.id, webhook: event.targets[0] };
        let due = Due { id, due_at: event.accepted_at, born: Sequence(1), steps: 0, tries: 0, order: None };
        let mut finished = sample::finished(event.workspace, due, Verdict::Delivered);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        finished.attempt.request_headers = vec![
            header("content-type", "application/json"),
            header("user-agent", "Signalpost/0.1"),
            header("webhook-id", "evt_0123456789abcdef"),
            header("webhook-timestamp", "1700000000"),
            header("webhook-signature", "v1,masked"),
        ];
        finished.attempt.answer = self.answer.clone();
        finished
    }

    fn index_all(&self) {
        while block_on(self.store.upkeep(Timestamp::from_ms(0))).expect("upkeep works") {}
        self.check_last();
    }

    /// A benchmark that measures failures measures nothing.
    fn check_last(&self) {
        let n = self.next_id / 4_096;
        let workspace = n % WORKSPACES + 1;
        let webhook = WebhookId::from_raw(workspace * 100 + n / WORKSPACES % WEBHOOKS_EACH);
        let id = DeliveryId { event: EventId::from_raw(self.next_id), webhook };
        let found = block_on(self.store.delivery(WorkspaceId::from_raw(workspace), id)).expect("it reads");
        if let Some(record) = found {
            assert!(matches!(record.summary.state, DeliveryState::Delivered { .. }), "{record:?}");
        }
    }
}

/// CPU time of all living threads of this process.
fn cpu_us() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.filter_map(of_task).sum::<f64>() / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
