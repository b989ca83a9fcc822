//! Who delivers what a node has accepted? Three nodes on one PostgreSQL, in two designs:
//!
//! - `doorbell`: each webhook has one owner. Whoever accepts an event commits it, and rings for the owner with the ids
//!   (`NOTIFY`); the owner reads the events and delivers.
//! - `leased`: whoever accepts an event delivers it. Nobody is told, and no node knows all of a webhook.
//!
//! What is owed is deleted when it is delivered (`delete`), or stays until its partition goes (`append`). With `stranger`
//! somebody else's transaction stays open from beginning to end.
//!
//! `cargo run --release -p signalpost-store-postgres --example lane_owners -- URL doorbell|leased delete|append RATE SECONDS
//! [stranger]` works in a schema of its own, which it drops, and prints a line for each third of the time, at most a minute:
//! CPU of all processes called `postgres` and of this one, log and statements for each delivery, and sizes of the tables.
//! Nothing is sent: a delivery ends two milliseconds after it is known to its node.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement stands on the world's side of the ports"
)]

mod node;

use std::error::Error;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::unbounded_channel;
use tokio::task::{JoinHandle, LocalSet};

use node::{Node, Session};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const NODES: usize = 3;
const SCHEMA: &str = "
    DROP SCHEMA IF EXISTS lane_owners CASCADE; CREATE SCHEMA lane_owners; SET search_path = lane_owners;
    CREATE TABLE message (id bigint PRIMARY KEY, workspace bigint NOT NULL, sequence bigint NOT NULL, type text NOT NULL,
        target bigint NOT NULL, accepted_at bigint NOT NULL, data bytea NOT NULL);
    CREATE INDEX ON message (workspace, id);
    CREATE TABLE due (webhook bigint NOT NULL, due_at bigint NOT NULL, event bigint NOT NULL, born bigint NOT NULL,
        steps bigint NOT NULL, tries bigint NOT NULL, PRIMARY KEY (webhook, due_at, event));
    CREATE TABLE attempt (webhook bigint NOT NULL, event bigint NOT NULL, n bigint NOT NULL, at bigint NOT NULL,
        verdict bigint NOT NULL, outcome text, detail bytea, PRIMARY KEY (webhook, event, n));
    CREATE TABLE head (workspace bigint PRIMARY KEY, version bigint NOT NULL);
    CREATE TABLE place (workspace bigint NOT NULL, sequence bigint NOT NULL, PRIMARY KEY (workspace, sequence));
    INSERT INTO head SELECT n, 1 FROM generate_series(0, 2999) AS n;";
const SIZES: &str = "SELECT pg_total_relation_size('message'), pg_total_relation_size('due'),
    pg_total_relation_size('attempt'), (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint";

/// What is measured.
#[derive(Clone)]
struct Design {
    url: String,
    owners: Owners,
    ended: Ended,
    rate: f64,
    seconds: u64,
    stranger: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    Doorbell,
    Leased,
}

/// What becomes of the row by which a delivery was owed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Delete,
    Append,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    delivered: AtomicU64,
    statements: AtomicU64,
    accepts: AtomicU64,
    bells: AtomicU64,
}

fn main() -> Outcome {
    let design = Design::of_command_line()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, run(design))
}

impl Design {
    fn of_command_line() -> Outcome<Self> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let word = |place: usize| words.get(place).map(String::as_str).ok_or("see the head of this example");
        Ok(Self {
            url: word(0)?.to_owned(),
            owners: match word(1)? {
                "doorbell" => Owners::Doorbell,
                "leased" => Owners::Leased,
                other => return Err(format!("{other} is no design").into()),
            },
            ended: match word(2)? {
                "delete" => Ended::Delete,
                "append" => Ended::Append,
                other => return Err(format!("{other} is not what becomes of a row").into()),
            },
            rate: word(3)?.parse()?,
            seconds: word(4)?.parse()?,
            stranger: word(5).is_ok_and(|word| word == "stranger"),
        })
    }
}

async fn run(design: Design) -> Outcome {
    let counts = Rc::new(Counts::default());
    let admin = Session::connect(&design.url, &counts).await?;
    admin.client.batch_execute(SCHEMA).await?;
    let stranger = Session::connect(&design.url, &counts).await?;
    if design.stranger {
        stranger
            .client
            .batch_execute("CREATE TABLE strange (x int); BEGIN; INSERT INTO strange VALUES (1)")
            .await?;
    }
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..NODES).map(|_| unbounded_channel()).unzip();
    let (began, mut parts): (_, Vec<JoinHandle<()>>) = (Instant::now(), Vec::new());
    for (number, known) in receivers.into_iter().enumerate() {
        let (design, counts, delivering) = (design.clone(), Rc::clone(&counts), senders.clone());
        let node = Rc::new(Node { number, design, counts, began, delivering });
        parts.push(start(Rc::clone(&node).hear()));
        parts.push(start(Rc::clone(&node).deliver(known)));
        parts.push(start(node.accept()));
    }
    let window = Duration::from_secs((design.seconds / 3).clamp(1, 60));
    let mut before = Reading::take(&admin, &counts).await?;
    while began.elapsed() + window <= Duration::from_secs(design.seconds) {
        tokio::time::sleep(window).await;
        let after = Reading::take(&admin, &counts).await?;
        println!("{:>4.0} s: {}", began.elapsed().as_secs_f64(), after.since(&before));
        before = after;
    }
    drop(stranger);
    // Their transactions end with their connections, and nobody holds a table that is to go.
    parts.iter().for_each(JoinHandle::abort);
    admin.client.batch_execute("DROP SCHEMA lane_owners CASCADE").await?;
    Ok(())
}

/// A part of a node; what ends it is told, and the figures show it.
fn start(part: impl Future<Output = Outcome> + 'static) -> JoinHandle<()> {
    tokio::task::spawn_local(async move {
        if let Err(error) = part.await {
            println!("a part of a node has ended: {error}");
        }
    })
}

/// Everything that is counted at a moment.
struct Reading {
    at: Instant,
    server_ns: u64,
    client_ns: u64,
    wal_bytes: i64,
    table_mb: [i64; 3],
    accepted: u64,
    delivered: u64,
    statements: u64,
    accepts: u64,
    bells: u64,
}

impl Reading {
    async fn take(admin: &Session, counts: &Counts) -> Outcome<Self> {
        let row = admin.client.query_one(SIZES, &[]).await?;
        let size = |place: usize| row.get::<_, i64>(place) / 1_000_000;
        let (server_ns, client_ns) = cpu_ns()?;
        Ok(Self {
            at: Instant::now(),
            server_ns,
            client_ns,
            wal_bytes: row.get(3),
            table_mb: [size(0), size(1), size(2)],
            accepted: counts.accepted.load(Relaxed),
            delivered: counts.delivered.load(Relaxed),
            statements: counts.statements.load(Relaxed),
            accepts: counts.accepts.load(Relaxed),
            bells: counts.bells.load(Relaxed),
        })
    }

    fn since(&self, before: &Self) -> String {
        let seconds = (self.at - before.at).as_secs_f64();
        let delivered = (self.delivered - before.delivered).max(1) as f64;
        let us = |after: u64, before: u64| after.saturating_sub(before) as f64 / 1e3 / delivered;
        let accepted = (self.accepted - before.accepted) as f64;
        let accepts = (self.accepts - before.accepts).max(1) as f64;
        let [messages, due, attempts] = self.table_mb;
        format!(
            "{:.0} accepted/s, {:.0} delivered/s; each: server {:.1} us, nodes {:.1} us, log {:.0} B, {:.2} statements; \
             {:.1} events a commit, {:.0} bells/s; message {messages} MB, due {due} MB, attempt {attempts} MB",
            accepted / seconds,
            delivered / seconds,
            us(self.server_ns, before.server_ns),
            us(self.client_ns, before.client_ns),
            (self.wal_bytes - before.wal_bytes) as f64 / delivered,
            (self.statements - before.statements) as f64 / delivered,
            accepted / accepts,
            (self.bells - before.bells) as f64 / seconds,
        )
    }
}

/// Of all processes called `postgres`, those that they have waited for included; and of this process.
fn cpu_ns() -> Outcome<(u64, u64)> {
    let mut server_ns = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let is_number =
            entry.file_name().to_str().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        let stat = is_number.then(|| std::fs::read_to_string(entry.path().join("stat")).ok()).flatten();
        server_ns += stat.filter(|stat| stat.contains("(postgres)")).map_or(0, |stat| ticks_ns(&stat));
    }
    Ok((server_ns, ticks_ns(&std::fs::read_to_string("/proc/self/stat")?)))
}

/// Fields 14 to 17 of proc(5) `stat`, in ticks of 10 ms.
fn ticks_ns(stat: &str) -> u64 {
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    rest.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
        * 10_000_000
}
