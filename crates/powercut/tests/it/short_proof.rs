//! A short form of the proof; `cargo xtask powerloss` has the long one.

use std::path::Path;

use signalpost_powercut::proof::{Plan, run};
use signalpost_powercut::{Keep, Platter, Settings, Watch, install};
use signalpost_store::Catalog;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store_sqlite::SqliteStore;
use signalpost_testkit::TempDir;

#[test]
fn nothing_acknowledged_is_lost_and_a_store_that_does_not_sync_loses() {
    let plan = Plan { seed: 1, cuts: 150, control_cuts: 40, threads: 2 };
    let report = run(plan).expect("every course can be recorded");
    assert!(report.holds(), "{report}");
    for (name, tally) in &report.courses {
        assert!(tally.cuts > 0, "{name}: {tally}");
    }
    let total = report.total();
    assert!(total.acknowledged > 1_000 && total.wraps > 20, "{total}, {} logs begun anew", total.wraps);
}

/// What is synced inside a directory says nothing of the directory's own name.
#[test]
fn a_new_data_directory_is_safe_with_the_first_answer() {
    install();
    let folder = TempDir::new().expect("a directory");
    let settings = Settings { keep: Keep::Log, pragmas: Vec::new() };
    let watch = Watch::begin(folder.path(), settings).expect("it is there");
    let inside = Path::new("new/and/deep");
    let store = SqliteStore::open_inline(&folder.path().join(inside)).expect("it opens");
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    let log = watch.log();
    let mut platter = Platter::of(&log.base);
    log.ops.iter().for_each(|op| platter.apply(op));
    for seed in 0..60 {
        let left = TempDir::new().expect("a directory");
        platter.cut(seed).write_to(left.path()).expect("it can be written to");
        let store = SqliteStore::open_inline(&left.path().join(inside)).expect("it opens");
        let found = block_on(store.workspace_by_public_id("ws-1".to_owned())).expect("it reads");
        assert!(found.is_some(), "seed {seed}");
    }
}
