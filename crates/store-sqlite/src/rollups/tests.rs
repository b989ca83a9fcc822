//! What stands in the table itself, whether or not a verb shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::figures::{Figures, FiguresOf, HOUR_MS};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::ledger::Retain;
use signalpost_store::rollups::FiguresBatch;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, Rollups};
use signalpost_testkit::TempDir;

use crate::SqliteStore;

/// More than one step of retention removes.
const WEBHOOKS: i64 = 2_500;

fn rows_of(workspace: WorkspaceId) -> FiguresBatch {
    let webhooks = (1..=WEBHOOKS).map(|n| FiguresOf::Webhook(workspace, WebhookId::from_raw(n)));
    let all = webhooks.chain([FiguresOf::Workspace(workspace), FiguresOf::Installation]);
    let events = Figures { events: 1, ..Figures::default() };
    Arc::new(all.map(|of| (of.at(sample::at(0)), events)).collect::<BTreeMap<_, _>>())
}

fn count(store: &SqliteStore) -> i64 {
    let count = |connection: &rusqlite::Connection| {
        Ok(connection.query_row("SELECT count(*) FROM figure", [], |row| row.get(0))?)
    };
    block_on(store.read(count)).expect("it reads")
}

#[test]
fn nothing_is_left_of_a_workspace_that_is_gone_and_nothing_comes_to_be_there() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let count = || count(&store);
    let (gone, nobody) = (WorkspaceId::from_raw(1), WorkspaceId::from_raw(9));
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    for workspace in [gone, nobody] {
        block_on(store.add_figures(rows_of(workspace))).expect("added");
    }
    assert_eq!(count(), WEBHOOKS + 2);
    block_on(store.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(5) })).expect("erased");
    let rules = RetentionRules::default();
    let retain = || block_on(store.retain(Retain { now: sample::at(9), rules: rules.clone() }));
    let mut steps = 0;
    while retain().expect("it goes on").more {
        steps += 1;
    }
    assert!(steps > 0, "not in one step");
    assert_eq!(count(), 1, "the installation's");
    block_on(store.add_figures(rows_of(gone))).expect("added");
    assert_eq!(count(), 1);
}

#[test]
fn one_step_of_upkeep_removes_figures_of_all_kinds_within_one_bound() {
    let directory = TempDir::new().expect("a directory");
    let store = SqliteStore::open_inline(directory.path()).expect("it opens");
    let workspace = WorkspaceId::from_raw(1);
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    let (each, last) = (400, sample::at(0).plus_ms(400 * HOUR_MS));
    let of = [
        FiguresOf::Installation,
        FiguresOf::Workspace(workspace),
        FiguresOf::Webhook(workspace, WebhookId::from_raw(7)),
    ];
    let keys = of.into_iter().flat_map(|of| (0..each).map(move |n| of.at(last.plus_ms(-n * HOUR_MS))));
    let events = Figures { events: 1, ..Figures::default() };
    let batch = Arc::new(keys.map(|key| (key, events)).collect::<BTreeMap<_, _>>());
    block_on(store.add_figures(batch)).expect("added");
    let now = last.plus_ms(FiguresOf::Workspace(workspace).age_ms());
    let mut counts = vec![count(&store)];
    while block_on(store.upkeep(now)).expect("it goes on") {
        counts.push(count(&store));
    }
    counts.push(count(&store));
    assert_eq!(counts, [1_200, 200, 0]);
}
