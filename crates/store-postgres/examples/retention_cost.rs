//! What it costs to let events go: with their tables, and row by row.
//!
//! `cargo run --release -p signalpost-store-postgres --example retention_cost -- [EVENTS] [STAYING]` starts a server of its own,
//! fills a store with EVENTS (default 200,000) of 512 bytes, each delivered to one webhook, of which STAYING per thousand
//! (default 1) are pending still; then lets them go. For each way: CPU of the server and of this process, the server's log, and
//! the time for each event; the longest commit of somebody who publishes meanwhile; the same again for the vacuum that follows;
//! and what the files take then.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement stands on the world's side of the ports"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId, first_id_at};
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{AcceptEvent, DueOrder, DuePage, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_postgres::PostgresStore;
use signalpost_testkit::Postgres;

const WORKSPACES: i64 = 100;
const PAYLOAD_BYTES: usize = 512;
const GROUP: usize = 1_000;
const HOUR_MS: i64 = 3_600_000;
const AGE_H: i64 = 8;
/// Nobody writes to a closed hour any more.
const OVER_MS: i64 = (AGE_H + 1) * HOUR_MS + 600_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default: usize| arguments.next().map_or(default, |text| text.parse().expect("a whole number"));
    let (events, staying) = (number(200_000), number(1));
    println!(
        "{:<16} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "per event", "server us", "node us", "log B", "total us", "longest ms", "files MB"
    );
    for (name, begins_ms, over_ms) in
        [("row by row", -HOUR_MS, OVER_MS - 2 * HOUR_MS), ("with its table", 0, OVER_MS)]
    {
        let bench = Bench::open(begins_ms);
        bench.fill(events, staying);
        bench.measure(name, events, || bench.let_go(over_ms));
        bench.measure("  vacuum", events, || bench.say("VACUUM ANALYZE"));
        block_on(bench.store.close()).expect("it closes");
    }
}

struct Bench {
    server: Postgres,
    postmaster: String,
    store: Arc<PostgresStore>,
    /// Where the first tables end, and where the events' time begins.
    ended_ms: i64,
    begins_ms: i64,
}

impl Bench {
    fn open(begins_ms: i64) -> Self {
        let server = Postgres::start(&["shared_buffers=256MB", "autovacuum=off"]).expect("a server");
        let store = Arc::new(support::open(&server, "cost"));
        for n in 1..=WORKSPACES {
            block_on(store.create_workspace(sample::workspace(n))).expect("a workspace");
            block_on(store.create_webhook(sample::webhook(WorkspaceId::from_raw(n), 1_000 + n).into()))
                .expect("a webhook");
        }
        let directory = ask(&server, "SHOW data_directory");
        let postmaster =
            std::fs::read_to_string(Path::new(&directory).join("postmaster.pid")).expect("it runs");
        let postmaster = postmaster.lines().next().expect("its number").to_owned();
        let ended = ask(&server, "SELECT (max(ended) >> 22)::text FROM cost.span");
        let bench = Self { server, postmaster, store, ended_ms: ended.parse().expect("a number"), begins_ms };
        bench.walk(-HOUR_MS / 6);
        bench
    }

    fn at(&self, ms: i64) -> Timestamp {
        Timestamp::from_ms(self.ended_ms + ms)
    }

    fn event(&self, n: usize, version: u64) -> AcceptEvent {
        let n = i64::try_from(n).expect("small");
        let workspace = n % WORKSPACES + 1;
        let mut event = sample::event(
            WorkspaceId::from_raw(workspace),
            n,
            version,
            &[WebhookId::from_raw(1_000 + workspace)],
        );
        event.id = EventId::from_raw(first_id_at(self.at(self.begins_ms)) + n);
        event.accepted_at = self.at(self.begins_ms);
        event.content.attributes.clear();
        event.content.data = Bytes::from(vec![b'7'; PAYLOAD_BYTES]);
        event
    }

    fn version(&self) -> u64 {
        let fan_out = block_on(self.store.fan_out(WorkspaceId::from_raw(1))).expect("it reads");
        fan_out.expect("it exists").version
    }

    fn fill(&self, events: usize, staying: usize) {
        let version = self.version();
        for first in (0..events).step_by(GROUP) {
            let group = (first..first + GROUP).map(|n| self.event(n, version)).collect();
            block_on(self.store.accept(group)).expect("they are accepted");
            for webhook in 1..=WORKSPACES {
                self.deliver(webhook, staying);
            }
        }
        self.say("VACUUM ANALYZE; CHECKPOINT");
    }

    fn deliver(&self, workspace: i64, staying: usize) {
        let page = DuePage {
            webhook: WebhookId::from_raw(1_000 + workspace),
            limit: 10 * GROUP,
            order: DueOrder::OLDEST_FIRST,
        };
        let due = block_on(self.store.due_page(page)).expect("it reads");
        let stays = |event: EventId| {
            let low = u64::try_from(event.raw() & ((1 << 22) - 1)).expect("positive");
            usize::try_from(low / 100 * 617 % 1_000).expect("small") < staying
        };
        let ended = due.into_iter().filter(|due| !stays(due.id.event));
        let ended =
            ended.map(|due| sample::finished(WorkspaceId::from_raw(workspace), due, Verdict::Delivered));
        let ended = sample::begun_by(&*self.store, ended.collect());
        block_on(self.store.finish(ended.into())).expect("they are recorded");
    }

    fn walk(&self, ms: i64) -> u64 {
        let age = Duration::from_secs(u64::try_from(AGE_H * HOUR_MS / 1_000).expect("small"));
        let rules = RetentionRules { event_age_max: Some(age), payload_age_max: None, bytes_max: None };
        let mut gone = 0;
        loop {
            let params = Retain { now: self.at(ms), rules: rules.clone() };
            let done = block_on(self.store.retain(params)).expect("retention works");
            gone += done.events;
            if !done.more {
                return gone;
            }
        }
    }

    fn let_go(&self, over_ms: i64) {
        let gone = self.walk(over_ms);
        assert!(gone > 0, "nothing has gone");
    }

    /// Does something while somebody else publishes an event every few milliseconds.
    fn measure(&self, name: &str, events: usize, work: impl FnOnce()) {
        let over = Arc::new(AtomicBool::new(false));
        let (store, done, version) = (Arc::clone(&self.store), Arc::clone(&over), self.version());
        let mut event = self.event(0, version);
        let first =
            first_id_at(self.at(self.begins_ms + 20 * HOUR_MS)) + (i64::from(name.starts_with(' ')) << 21);
        let publishing = std::thread::spawn(move || {
            let mut longest = Duration::ZERO;
            for n in 0.. {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                event.id = EventId::from_raw(first + n);
                let began = Instant::now();
                block_on(store.accept(vec![event.clone()])).expect("it is accepted");
                longest = longest.max(began.elapsed());
                std::thread::sleep(Duration::from_millis(20));
            }
            longest
        });
        let (began, cpu, log) = (Instant::now(), self.cpu_us(), self.log());
        work();
        let (lasted, after, written) = (began.elapsed(), self.cpu_us(), self.log() - log);
        over.store(true, Ordering::SeqCst);
        let longest = publishing.join().expect("the publisher does not panic");
        let events = as_f64(events);
        println!(
            "{name:<16} {:>10.2} {:>10.2} {:>10.0} {:>10.1} {:>10.1} {:>10.0}",
            (after.0 - cpu.0) / events,
            (after.1 - cpu.1) / events,
            written / events,
            lasted.as_secs_f64() * 1e6 / events,
            longest.as_secs_f64() * 1e3,
            self.files_mb()
        );
    }

    fn say(&self, sql: &str) {
        for statement in sql.split("; ") {
            self.server.say(statement).expect("it does what it is told");
        }
    }

    fn log(&self) -> f64 {
        number(&self.server, "SELECT (pg_current_wal_lsn() - '0/0')::bigint::text")
    }

    fn files_mb(&self) -> f64 {
        let sql = "SELECT sum(pg_total_relation_size(oid))::bigint::text FROM pg_class
            WHERE relnamespace = 'cost'::regnamespace AND relkind = 'r'";
        number(&self.server, sql) / 1e6
    }

    /// Of the server, with what has ended of it, and of this process.
    fn cpu_us(&self) -> (f64, f64) {
        let stat = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        let own = |stat: &str| ticks_us(stat, 2);
        let postmaster = stat(&self.postmaster).expect("it runs");
        let mut server = ticks_us(&postmaster, 4);
        for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
            let child =
                entry.file_name().to_str().and_then(stat).filter(|stat| parent(stat) == self.postmaster);
            server += child.map_or(0.0, |stat| own(&stat));
        }
        (server, own(&stat("self").expect("this process")))
    }
}

fn parent(stat: &str) -> &str {
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    rest.split_whitespace().nth(1).unwrap_or_default()
}

/// Fields 14 and on of proc(5) `stat`, in ticks of 10 ms.
fn ticks_us(stat: &str, fields: usize) -> f64 {
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(fields);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10_000.0
}

fn ask(server: &Postgres, sql: &str) -> String {
    server.say(sql).expect("it answers").trim().to_owned()
}

fn number(server: &Postgres, sql: &str) -> f64 {
    ask(server, sql).parse().expect("a number")
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
