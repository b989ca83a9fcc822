//! For how long a workspace is away that moves from one cell to another.
//!
//! `cargo run --release -p signalpost-store-postgres --example move_cost -- [EVENTS]` starts a server of its own with two cells,
//! fills a workspace of the first with EVENTS (default 100,000) of 512 bytes, each delivered to one webhook but for one in a
//! thousand, and moves it. Tells how many rows went and how long each part took.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement stands on the world's side of the ports"
)]

mod support;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_store::ledger::{DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::transfer::Bounds;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_postgres::PostgresStore;
use signalpost_store_postgres::cells::{Mover, Step};
use signalpost_testkit::Postgres;

const PAYLOAD_BYTES: usize = 512;
const GROUP: usize = 1_000;
const WEBHOOK: i64 = 11;

fn main() {
    let events = std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a whole number"));
    let server = Postgres::start(&["shared_buffers=256MB"]).expect("a server");
    let [source, target] = ["one", "two"].map(|schema| support::open(&server, schema));
    fill(&source, events);
    let mover = Mover {
        source: (&source, "one"),
        target: (&target, "two"),
        rules: RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None },
        // Nothing is in flight, though something is owed.
        longest_attempt: Duration::ZERO,
        bounds: Bounds::default(),
    };
    let mut parts: Vec<(&str, Instant)> = Vec::new();
    let mut tell = |step| {
        let part = part_of(step);
        if parts.last().is_none_or(|(last, _)| *last != part) {
            parts.push((part, Instant::now()));
        }
        ControlFlow::Continue(())
    };
    let moved = block_on(mover.run(&["ws-1".to_owned()], &mut tell)).expect("it is moved");
    let rows: u64 = moved.tables.iter().map(|(_, sum)| sum.rows).sum();
    for pair in parts.windows(2) {
        println!("{:<12} {:>8.2} s", pair[0].0, (pair[1].1 - pair[0].1).as_secs_f64());
    }
    let at = |name| parts.iter().find(|(part, _)| *part == name).expect("it was done").1;
    let away = (at("removing") - at("marking")).as_secs_f64();
    println!("{rows} rows, away for {away:.2} s: {:.0} rows/s", rows as f64 / away);
    for store in [source, target] {
        block_on(store.close()).expect("it closes");
    }
}

const fn part_of(step: Step) -> &'static str {
    match step {
        Step::Expecting => "expecting",
        Step::Marking | Step::Draining => "marking",
        Step::Copying { .. } => "copying",
        Step::Comparing { .. } => "comparing",
        Step::Rehearsing => "rehearsing",
        Step::Leaving => "leaving",
        Step::Showing => "showing",
        Step::Confirming => "removing",
    }
}

fn fill(store: &PostgresStore, events: usize) {
    let workspace = sample::workspace(1);
    let (id, webhook): (WorkspaceId, _) = (workspace.id, WebhookId::from_raw(WEBHOOK));
    block_on(store.create_workspace(workspace)).expect("a workspace");
    block_on(store.create_webhook(sample::webhook(id, WEBHOOK).into())).expect("a webhook");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it is there").version;
    for begin in (0..events).step_by(GROUP) {
        let group = begin..events.min(begin + GROUP);
        let event = |n: usize| {
            let n = 1_000_000 + i64::try_from(n).expect("few");
            let mut event = sample::event(id, n, version, &[webhook]);
            event.content.data = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
            event
        };
        block_on(store.accept(group.map(event).collect())).expect("accepted");
        let page = DuePage { webhook, limit: 2 * GROUP, order: DueOrder::OLDEST_FIRST };
        let due = block_on(store.due_page(page)).expect("it reads");
        let delivered = due.into_iter().filter(|due| due.id.event.raw() % 1_000 != 0);
        let ended = delivered.map(|due| sample::finished(id, due, Verdict::Delivered)).collect();
        block_on(store.finish(sample::begun_by(store, ended).into())).expect("recorded");
    }
}
