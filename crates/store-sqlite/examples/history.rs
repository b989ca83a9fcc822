//! Builds a store with a long history, for measuring what reads it.
//!
//! `cargo run --release -p signalpost-store-sqlite --example history -- ATTEMPTS DIRECTORY` stores events of the last three days with
//! so many attempts in all: eight workspaces with 500 webhooks each, half of the events in the first of them. Each event goes to four
//! webhooks, one of which gets every event of its workspace. Of a hundred deliveries 85 succeed at once and ten with the second
//! attempt; four are given up after three, and one waits for its second. Figures of the last hours are those of a busy day.

#![expect(clippy::print_stdout, reason = "whoever waits for this wants to know how far it is")]
#![expect(clippy::disallowed_methods, reason = "it brings its own threads and clock")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::figures::{Figures, FiguresKey, FiguresOf, HOUR_MS, MINUTE_MS};
use signalpost_core::id::{DeliveryId, EventId, IdMint, WebhookId, WorkspaceId};
use signalpost_core::limits::FIGURES_ROWS_MAX;
use signalpost_core::ports::Threads;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{AcceptEvent, Accepted, Finished};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, Rollups};
use signalpost_store_sqlite::{OpenOptions, SqliteStore};

const WORKSPACES: i64 = 8;
const WEBHOOKS: i64 = 500;
const TARGETS: i64 = 4;
const BATCH: i64 = 1_000;
const AGE_MS: i64 = 3 * 24 * HOUR_MS;
/// Attempts of a hundred deliveries, see above.
const ATTEMPTS_OF_A_HUNDRED: i64 = 85 + 2 * 10 + 3 * 4 + 1;
const RETRY_MS: i64 = 10_000;
/// When what waits is due: not while anybody looks.
const LATER_MS: i64 = 30 * 24 * HOUR_MS;
const TOLD_EVERY: Duration = Duration::from_secs(5);

struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let attempts: i64 = arguments.next().expect("how many attempts").parse().expect("a whole number");
    let directory = PathBuf::from(arguments.next().expect("a directory"));
    let mut history = History::begin(directory);
    let (began, mut told) = (Instant::now(), Instant::now());
    let events = attempts * 100 / (TARGETS * ATTEMPTS_OF_A_HUNDRED);
    while history.attempts < attempts {
        history.add_batch(events);
        if told.elapsed() >= TOLD_EVERY || history.attempts >= attempts {
            told = Instant::now();
            let (done, seconds) = (history.attempts, began.elapsed().as_secs());
            println!("{done} of {attempts} attempts in {seconds} s");
        }
    }
    history.add_figures();
    history.end();
}

struct History {
    store: SqliteStore,
    ids: IdMint,
    now: Timestamp,
    versions: BTreeMap<WorkspaceId, u64>,
    events: i64,
    deliveries: i64,
    attempts: i64,
}

impl History {
    fn begin(directory: PathBuf) -> Self {
        let store = SqliteStore::open(OpenOptions { directory, threads: &SystemThreads, readers: 1 });
        let store = store.expect("it opens");
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after the epoch");
        let now = Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).expect("in this age"));
        let mut versions = BTreeMap::new();
        for n in 1..=WORKSPACES {
            let workspace = sample::workspace(n);
            let (id, created_at) = (workspace.id, now.plus_ms(-2 * AGE_MS));
            block_on(store.create_workspace(workspace)).expect("a workspace");
            for place in 0..WEBHOOKS {
                let number = webhook(id, place).raw();
                let mut webhook = sample::webhook(id, number);
                (webhook.created_at, webhook.updated_at, webhook.secret) = (created_at, created_at, None);
                block_on(store.create_webhook(webhook.into())).expect("a webhook");
            }
            let fan_out = block_on(store.fan_out(id)).expect("it reads").expect("it exists");
            versions.insert(id, fan_out.version);
        }
        Self { store, ids: IdMint::new(1, 0), now, versions, events: 0, deliveries: 0, attempts: 0 }
    }

    /// A thousand events of one workspace, and all that came of them.
    fn add_batch(&mut self, events: i64) {
        let turn = self.events / BATCH;
        let workspace =
            WorkspaceId::from_raw(if turn % 2 == 0 { 1 } else { 2 + turn / 2 % (WORKSPACES - 1) });
        let batch: Vec<AcceptEvent> = (0..BATCH).map(|_| self.event(workspace, events)).collect();
        let targets: Vec<_> =
            batch.iter().map(|event| (event.id, event.accepted_at, event.targets.clone())).collect();
        let accepted: Vec<Accepted> = block_on(self.store.accept(batch)).expect("they are accepted");
        let mut due: Vec<(Due, i64)> = Vec::new();
        for ((event, due_at, webhooks), accepted) in targets.into_iter().zip(accepted) {
            for webhook in webhooks {
                let id = DeliveryId { event, webhook };
                let born: Sequence = accepted.sequence;
                due.push((Due { id, due_at, born, steps: 0, tries: 0, order: None }, self.deliveries));
                self.deliveries += 1;
            }
        }
        while !due.is_empty() {
            due = self.attempt(workspace, &due);
        }
    }

    fn event(&mut self, workspace: WorkspaceId, events: i64) -> AcceptEvent {
        let n = self.events;
        self.events += 1;
        let accepted_at = self.now.plus_ms(-AGE_MS + (AGE_MS - HOUR_MS / 60) * n / (events + 2 * BATCH));
        let targets: Vec<WebhookId> = (0..TARGETS)
            .map(|k| webhook(workspace, if k == 0 { 0 } else { 1 + (n * 3 + k) % (WEBHOOKS - 1) }))
            .collect();
        let mut event = sample::event(workspace, n, self.versions[&workspace], &targets);
        event.id = EventId::from_raw(self.ids.mint(accepted_at));
        (event.accepted_at, event.content.time) = (accepted_at, accepted_at);
        event.content.attributes.clear();
        event.content.data = Bytes::from(format!("{{\"order\":{n},\"amount\":\"12.50\"}}"));
        event
    }

    /// What is owed after one attempt of each.
    fn attempt(&mut self, workspace: WorkspaceId, due: &[(Due, i64)]) -> Vec<(Due, i64)> {
        let mut next = Vec::new();
        let outcome = |(due, number): &(Due, i64)| {
            let retry = |ms| Verdict::RetryAt(due.due_at.plus_ms(ms));
            let verdict = match (number % 100, due.steps) {
                (0..85, _) | (85..95, 1) => Verdict::Delivered,
                (85..95, _) | (95..99, 0 | 1) => retry(RETRY_MS),
                (95..99, _) => Verdict::GiveUp,
                _ => retry(LATER_MS),
            };
            if let (Verdict::RetryAt(due_at), 0..99) = (verdict, number % 100) {
                next.push((Due { due_at, steps: due.steps + 1, tries: due.tries + 1, ..*due }, *number));
            }
            sample::finished(workspace, *due, verdict)
        };
        let finished: Vec<Finished> = due.iter().map(outcome).collect();
        self.attempts += i64::try_from(finished.len()).expect("small");
        block_on(self.store.finish(Arc::new(finished))).expect("they are recorded");
        next
    }

    /// Of two hours minute by minute, and of a day for each workspace and each webhook.
    fn add_figures(&self) {
        let busy = |n: i64| {
            let n = u64::try_from(n).expect("a small number");
            let (attempts_succeeded, attempts_failed) = (950 + n % 50, 1 + n % 97);
            let (delivered, retries) = (attempts_succeeded, attempts_failed);
            let mut figures = Figures {
                events: 300,
                attempts_succeeded,
                attempts_failed,
                delivered,
                retries,
                failed: n % 7,
                ..Figures::default()
            };
            (0..20).for_each(|ms| figures.latency.saw(3 + ms * n % 90));
            figures
        };
        let mut rows: BTreeMap<FiguresKey, Figures> = BTreeMap::new();
        for minute in 0..120 {
            rows.insert(FiguresOf::Installation.at(self.now.plus_ms(-minute * MINUTE_MS)), busy(minute));
        }
        for hour in 0..24 {
            let at = self.now.plus_ms(-hour * HOUR_MS);
            for workspace in (1..=WORKSPACES).map(WorkspaceId::from_raw) {
                rows.insert(FiguresOf::Workspace(workspace).at(at), busy(hour));
                for place in 0..WEBHOOKS {
                    let of = FiguresOf::Webhook(workspace, webhook(workspace, place));
                    rows.insert(of.at(at), busy(place));
                }
            }
        }
        while !rows.is_empty() {
            let batch: BTreeMap<_, _> =
                std::iter::from_fn(|| rows.pop_first()).take(FIGURES_ROWS_MAX).collect();
            block_on(self.store.add_figures(Arc::new(batch))).expect("they are added");
        }
    }

    fn end(self) {
        while block_on(self.store.upkeep(self.now)).expect("upkeep works") {}
        block_on(self.store.close()).expect("it closes");
        println!("{} events, {} deliveries, {} attempts", self.events, self.deliveries, self.attempts);
    }
}

fn webhook(workspace: WorkspaceId, place: i64) -> WebhookId {
    WebhookId::from_raw(1_000 * workspace.raw() + place)
}
