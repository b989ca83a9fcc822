//! What commits leave behind: it is tidied up without anybody's asking, and what cannot be known to be left over harms nobody.

use std::time::Duration;

use signalpost_store::ledger::ListDeliveries;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;
use signalpost_testkit::wait_for;

use crate::support::{Fresh, ask, say};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn what_was_counted_is_added_up_by_the_store_itself() {
    let place = Fresh::new();
    let store = place.open();
    let workspace = sample::workspace(1);
    let id = workspace.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    for event in 0..20 {
        block_on(store.accept(vec![sample::event(id, 1_000 + event, version, &[])])).expect("accepted");
    }
    let rows = || ask(&format!("SELECT count(*)::text FROM {}.tally", place.schema));
    wait_for("an empty tally", PATIENCE, || rows() == ["0"]).expect("it is added up");
    let usage = block_on(store.usage(id)).expect("it reads").expect("it exists");
    assert_eq!(usage.events, 20);
}

#[test]
fn a_history_without_its_event_ends_no_list() {
    let place = Fresh::new();
    let store = place.open();
    let workspace = sample::workspace(1);
    let (id, webhook) = (workspace.id, sample::webhook(workspace.id, 11));
    let lane = webhook.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    block_on(store.create_webhook(webhook.into())).expect("a webhook");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    for event in 0..3 {
        block_on(store.accept(vec![sample::event(id, 1_000 + event, version, &[lane])])).expect("accepted");
    }
    // More than a page of them, all newer than what is there.
    say(&format!(
        "INSERT INTO {}.attempt (webhook, event, n, at, verdict, outcome, detail)
        SELECT {}, g, 1, 0, 0, '200', ''::bytea FROM generate_series(2000, 2400) AS g",
        place.schema,
        lane.raw()
    ));
    let list = ListDeliveries {
        workspace: id,
        webhook: Some(lane),
        event: None,
        status: None,
        before: None,
        limit: 10,
    };
    let page = block_on(store.list_deliveries(list)).expect("it reads");
    let found: Vec<i64> = page.rows.iter().map(|row| row.id.event.raw()).collect();
    assert_eq!((found, page.next), (vec![1_002, 1_001, 1_000], None));
}
