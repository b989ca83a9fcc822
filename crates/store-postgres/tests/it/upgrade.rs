//! A store of this version on a schema of the next one, which is made up.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::ledger::{DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::{self, Harness};
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Store, StoreError};
use signalpost_store_postgres::{Duty, OpenError, OpenOptions, PostgresStore};
use signalpost_testkit::{Postgres, wait_for};

use crate::support::{Fresh, SystemThreads, open_at, options, say, say_to, server_url};

const PATIENCE: Duration = Duration::from_secs(40);

/// What a later version may add: something in each table that is written all the time, and a table of its own.
const WIDER: &str = "
    ALTER TABLE workspace ADD COLUMN colour text;
    ALTER TABLE webhook ADD COLUMN colour text NOT NULL DEFAULT 'blue';
    ALTER TABLE message ADD COLUMN origin text NOT NULL DEFAULT 'here';
    ALTER TABLE attempt ADD COLUMN proxy text;
    ALTER TABLE due ADD COLUMN weight bigint NOT NULL DEFAULT 1;
    ALTER TABLE node ADD COLUMN zone text NOT NULL DEFAULT '';
    ALTER TABLE lane_group ADD COLUMN zone text;
    ALTER TABLE change ADD COLUMN reason text;
    CREATE TABLE palette (colour text PRIMARY KEY);
    INSERT INTO schema_migration (number, name, sha256, bears)
        SELECT max(number) + 1, 'wider', '', max(number) FROM schema_migration";
/// A version that can only be worked on by programs that know it.
const SHUT: &str = "
    INSERT INTO schema_migration (number, name, sha256, bears)
        SELECT max(number) + 1, 'narrower', '', max(number) + 1 FROM schema_migration";

fn change(place: &Fresh, sql: &str) {
    say(&format!("BEGIN; SET LOCAL search_path = {}; {sql}; COMMIT", place.schema));
}

/// A place that a later version has been at.
fn wider() -> Fresh {
    let place = Fresh::new();
    drop(place.try_open().expect("it opens"));
    place.threads.join();
    change(&place, WIDER);
    place
}

macro_rules! cases_on_a_wider_schema {
    ($($group:ident::$case:ident)*) => {$(
        #[test]
        fn $case() {
            block_on(conformance::$group::$case(&wider()));
        }
    )*};
}

// One at least for each table that has become wider, and restarts.
cases_on_a_wider_schema! {
    accept::an_event_is_kept_as_given
    accept::a_call_is_accepted_as_a_whole_or_not_at_all
    closing::a_closed_workspace_owes_its_last_event_and_nothing_else
    finish::an_attempt_is_kept_as_given
    finish::several_outcomes_are_recorded_in_one_call
    finish::health_changes_as_told
    once::a_call_outlives_a_restart
    order::the_first_of_each_key_is_owed_and_the_others_are_held
    replay_steps::another_webhook_gets_what_was_not_meant_for_it
    requeue::an_ended_delivery_gets_a_fresh_round
    retention::an_erased_workspace_leaves_nothing_behind
    webhooks::a_webhook_is_kept_as_given
    webhooks::an_update_changes_only_what_it_names
}

/// Delivers one more event: it is accepted by one and ends on the other.
fn deliver(
    accepts: &dyn Store,
    delivers: &dyn Store,
    workspace: WorkspaceId,
    webhook: WebhookId,
    event: i64,
) {
    let version = block_on(accepts.fan_out(workspace)).expect("it reads").expect("it exists").version;
    block_on(accepts.accept(vec![sample::event(workspace, event, version, &[webhook])])).expect("accepted");
    let owed = || {
        let page = DuePage { webhook, limit: 10, order: DueOrder::OLDEST_FIRST };
        block_on(delivers.due_page(page)).expect("it reads")
    };
    let finished = owed().into_iter().map(|due| sample::finished(workspace, due, Verdict::Delivered));
    let begun = sample::begun_by(delivers, finished.collect());
    block_on(delivers.finish(Arc::new(begun))).expect("recorded");
    assert!(owed().is_empty(), "event {event}");
}

#[test]
fn a_store_goes_on_while_the_next_version_comes() {
    let place = Fresh::new();
    let old = place.open();
    let (workspace, webhook) = (sample::workspace(1), sample::webhook(WorkspaceId::from_raw(1), 11));
    let ids = (workspace.id, webhook.id);
    block_on(old.create_workspace(workspace)).expect("a workspace");
    block_on(old.create_webhook(webhook.into())).expect("a webhook");
    deliver(old.as_ref(), old.as_ref(), ids.0, ids.1, 100);
    // Its statements are prepared by now.
    change(&place, WIDER);
    deliver(old.as_ref(), old.as_ref(), ids.0, ids.1, 101);
    // It leaves all groups where they are.
    let url = server_url();
    let serving = OpenOptions { duty: Duty::Serves, ..options(&url, &place.schema, &place.threads) };
    let again = PostgresStore::open(serving).expect("another one of its kind starts");
    deliver(&again, old.as_ref(), ids.0, ids.1, 102);
}

#[test]
fn a_store_that_is_too_old_does_not_start_and_says_what_it_would_have_to_know() {
    let place = wider();
    change(&place, SHUT);
    let refused = place.try_open().map(drop).expect_err("it is shut out");
    let OpenError::NewerSchema { found, known, bears } = refused else { panic!("{refused}") };
    assert_eq!((found, bears), (known + 2, known + 2));
    let sentence = refused.to_string();
    let says = format!(
        "its schema is {found}, on which a program must know {bears} at least to work, and this one knows {known}"
    );
    assert!(sentence.contains(&says), "{sentence}");
}

/// While nothing could reach the server others have changed everything.
#[test]
fn a_store_that_was_shut_out_while_it_was_cut_off_stops_working() {
    let (server, threads) = (Postgres::start(&[]).expect("a server"), SystemThreads::default());
    let store = open_at(&server.url(), "s", &threads).expect("it opens");
    say_to(&server.url(), &format!("SET search_path = s; {SHUT}"));
    say_to(
        &server.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'signalpost')",
    );
    let is_closed = || {
        let asked = block_on(store.fan_out(WorkspaceId::from_raw(1)));
        matches!(asked, Err(StoreError::Unavailable(why)) if why == "the store is closed")
    };
    wait_for("the store to close", PATIENCE, is_closed).expect("it is shut out");
    drop(store);
    threads.join();
}
