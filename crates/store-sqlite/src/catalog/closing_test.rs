//! A test that needs a hand inside: a closing that is cut off between its commits.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::id::WebhookId;
use signalpost_core::retention::RetentionRules;
use signalpost_store::ledger::{DueOrder, DuePage, Retain};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_testkit::TempDir;

use super::close_workspace;
use super::erase_workspace::BURIED_MAX;
use crate::SqliteStore;
use crate::copy::check;
use crate::ledger::accept;
use crate::queue::Admission;

fn number(store: &SqliteStore, sql: &'static str) -> i64 {
    let read = |connection: &rusqlite::Connection| Ok(connection.query_row(sql, [], |row| row.get(0))?);
    block_on(store.read(read)).expect("it reads")
}

/// Retention to its end, by a rule that lets nothing stay.
fn retain_all(store: &SqliteStore) {
    let event_age_max = Some(Duration::ZERO);
    let rules = RetentionRules { event_age_max, payload_age_max: None, bytes_max: None };
    while block_on(store.retain(Retain { now: sample::at(90), rules: rules.clone() })).expect("it works").more
    {
    }
}

fn problems(directory: &TempDir) -> Vec<String> {
    check(directory.path(), &mut |_| ()).expect("it can be checked").problems
}

#[test]
fn a_closing_that_was_cut_off_goes_on_and_leaves_nothing() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = sample::workspace_with_feed(1);
    let id = workspace.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    let webhooks = i64::try_from(2 * BURIED_MAX).expect("few");
    for n in 100..100 + webhooks {
        block_on(store.create_webhook(sample::webhook(id, n).into())).expect("a webhook");
    }
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    // The last by id, which the first step of an erasure would not come to.
    let wants = WebhookId::from_raw(99 + webhooks);
    for n in [5_000, 5_001] {
        block_on(store.accept(vec![sample::event(id, n, version, &[wants])])).expect("it is accepted");
    }
    let mut farewell = accept::prepare_one(sample::event(id, 5_002, version, &[wants]));
    let begin = move |write: &mut crate::write::Write<'_>| close_workspace::begin(write, &mut farewell);
    block_on(store.write(Admission::Always, 1, begin)).expect("it begins");
    block_on(store.close()).expect("it closes");
    drop(store);
    assert_eq!(problems(&directory), [] as [String; 0]);

    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    assert!(number(&store, "SELECT count(*) FROM webhook WHERE deleted_at IS NULL") > 1, "it was cut off");
    assert_eq!(block_on(store.lane(WebhookId::from_raw(98 + webhooks))).expect("it reads"), None);
    retain_all(&store);
    let owed = block_on(store.due_page(DuePage { webhook: wants, limit: 9, order: DueOrder::OLDEST_FIRST }))
        .expect("it reads");
    let [due] = owed[..] else { panic!("the last event alone is owed: {owed:?}") };
    assert!(block_on(store.lane(wants)).expect("it reads").is_some());
    let delivered = sample::finished(id, due, Verdict::Delivered);
    block_on(store.finish(Arc::new(vec![delivered]))).expect("it is recorded");
    retain_all(&store);
    for table in [
        "SELECT count(*) FROM webhook",
        "SELECT count(*) FROM leaving",
        "SELECT count(*) FROM cut",
        "SELECT count(*) FROM due",
        "SELECT count(*) FROM message",
        "SELECT count(*) FROM attempt",
        "SELECT count(*) FROM feed",
        "SELECT count(*) FROM ix_event",
        "SELECT count(*) FROM rest",
        "SELECT count(*) FROM head",
        "SELECT count(*) FROM workspace WHERE name != ''",
    ] {
        assert_eq!(number(&store, table), 0, "{table}");
    }
    assert_eq!(number(&store, "SELECT count(*) FROM workspace"), 1, "its public id stays taken");
    block_on(store.close()).expect("it closes");
    drop(store);
    assert_eq!(problems(&directory), [] as [String; 0]);
}
