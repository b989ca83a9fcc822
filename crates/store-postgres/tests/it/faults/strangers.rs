//! Somebody else on the database who holds rows, tables and an old view of everything, and takes their time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_store::ledger::{DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Ledger, StoreError};
use signalpost_testkit::{Postgres, wait_for};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use super::stage::{PATIENCE, Stage};

/// A connection in the midst of something, which ends with it.
pub(crate) struct Stranger {
    client: Client,
    runtime: Runtime,
}

impl Stranger {
    pub(crate) fn who_says(url: &str, sql: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(url, NoTls).await.expect("the server is there");
            drop(tokio::spawn(connection));
            client.batch_execute(sql).await.expect("the server does what it is told");
            client
        });
        Self { client, runtime }
    }

    /// Ends as they had it in mind.
    pub(crate) fn commit(self) {
        self.runtime.block_on(self.client.batch_execute("COMMIT")).expect("the server does what it is told");
    }

    /// A number that the server knows.
    fn ask(&self, sql: &str) -> i64 {
        self.runtime.block_on(self.client.query_one(sql, &[])).expect("it answers").get(0)
    }
}

/// What is published and how deliveries end does not wait for rows of a webhook, nor for an old snapshot to end.
#[test]
fn a_stranger_who_sits_on_rows_and_a_snapshot_holds_nobody_up() {
    let mut stage = Stage::new();
    let (store, webhook, workspace) = (stage.store.clone(), stage.webhook, stage.workspace);
    let mut delivered = BTreeSet::new();
    let told = stage.publish_while(|server, progress| {
        let stranger = Stranger::who_says(
            &server.url(),
            "BEGIN ISOLATION LEVEL REPEATABLE READ;
             SELECT count(*) FROM faults.message;
             SELECT 1 FROM faults.webhook FOR UPDATE;
             SELECT 1 FROM faults.workspace FOR UPDATE;
             SELECT 1 FROM faults.head FOR UPDATE",
        );
        let refused_before = progress.refusals();
        let page = DuePage { webhook, limit: 20, order: DueOrder::OLDEST_FIRST };
        for due in block_on(store.due_page(page)).expect("it reads") {
            let finished = sample::finished(workspace, due, Verdict::Delivered);
            block_on(store.finish(sample::begun_by(&*store, vec![finished]).into())).expect("it is written");
            delivered.insert(due.id.event.raw());
        }
        // The dead rows of what was owed stay visible to the stranger; the store's reads go on among them.
        for _ in 0..5 {
            progress.more_acknowledged(50);
            block_on(store.due_page(page)).expect("it reads");
        }
        assert_eq!(progress.refusals(), refused_before, "nobody was refused");
        drop(stranger);
    });
    drop(store);
    assert_eq!(delivered.len(), 20);
    stage.check_but(&told, &delivered);
}

/// What does need the row waits for it in bounds, and leaves everything as it was.
#[test]
fn a_change_of_a_row_that_a_stranger_holds_is_refused_in_time_and_made_later() {
    let server = Postgres::start(&[]).expect("a server");
    let url = server.url();
    let mut stage = Stage::reached_by(server, url, Duration::from_secs(1));
    let (store, webhook, workspace) = (stage.store.clone(), stage.webhook, stage.workspace);
    let mut delivered = BTreeSet::new();
    let told = stage.publish_while(|server, progress| {
        let stranger = Stranger::who_says(&server.url(), "BEGIN; SELECT 1 FROM faults.webhook FOR UPDATE");
        let due = block_on(store.due_page(DuePage { webhook, limit: 1, order: DueOrder::OLDEST_FIRST }));
        let due = due.expect("it reads").pop().expect("something is owed");
        delivered.insert(due.id.event.raw());
        let mut finished = sample::finished(workspace, due, Verdict::Delivered);
        finished.concurrency = Some(3);
        let finished = Arc::new(sample::begun_by(&*store, vec![finished]));
        let refused = block_on(store.finish(finished.clone()));
        assert!(
            matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("(55P03)") || why.contains("(57014)")),
            "{refused:?}"
        );
        progress.more_acknowledged(10);
        drop(stranger);
        block_on(store.finish(finished)).expect("the row is free");
    });
    drop(store);
    stage.check_but(&told, &delivered);
}

/// Somebody takes the number that was found to be free, and says so only while it is being taken.
#[test]
fn an_outcome_whose_place_is_taken_in_the_same_moment_gets_the_next_one() {
    let stage = Stage::new();
    let due = stage.publish_one();
    let first = sample::finished(stage.workspace, due, Verdict::RetryAt(due.due_at.plus_ms(60_000)));
    let mut late = sample::finished(stage.workspace, due, Verdict::Delivered);
    late.attempt.at = first.attempt.at.plus_ms(7);
    let mut begun = sample::begun_by(&*stage.store, vec![first, late]);
    let late = begun.split_off(1);
    block_on(stage.store.finish(begun.into())).expect("it is written");
    let stranger = Stranger::who_says(
        &stage.server.url(),
        "BEGIN; INSERT INTO faults.attempt (webhook, event, n, at, verdict, outcome, retry_at, detail)
            SELECT webhook, event, 2, at + 3, verdict, outcome, retry_at, detail FROM faults.attempt",
    );
    let store = stage.store.clone();
    let writing = std::thread::spawn(move || block_on(store.finish(late.into())));
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'";
    wait_for("somebody to wait for the stranger", PATIENCE, || stranger.ask(waiting) == 1)
        .expect("they wait");
    stranger.commit();
    writing.join().expect("nobody panics").expect("it is written");
    let found =
        block_on(stage.store.delivery(stage.workspace, due.id)).expect("it reads").expect("it exists");
    assert_eq!(found.steps.len(), 3, "{:?}", found.steps);
}
