//! Backups of a store at work, restores, and what a check finds.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use signalpost_core::event::Sequence;
use signalpost_core::id::WebhookId;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_sqlite::SqliteStore;
use signalpost_store_sqlite::copy::{CopyError, RESTORE_SEQUENCE_STEP, back_up, check, restore};
use signalpost_testkit::TempDir;

use crate::support::{Inline, Threaded};

const DATABASE_FILE: &str = "signalpost.db";

/// A store with workspace 1, webhook 11 and events from 100 on.
fn filled(store: &SqliteStore, events: i64) {
    block_on(store.create_workspace(sample::workspace(1))).expect("a workspace");
    let workspace = sample::workspace(1).id;
    block_on(store.create_webhook(sample::webhook(workspace, 11).into())).expect("a webhook");
    for n in 0..events {
        publish(store, 100 + n);
    }
}

fn publish(store: &SqliteStore, n: i64) -> Sequence {
    let workspace = sample::workspace(1).id;
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it lives").version;
    let event = sample::event(workspace, n, version, &[WebhookId::from_raw(11)]);
    block_on(store.accept(vec![event])).expect("it is accepted")[0].sequence
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a directory");
    let path = folder.path().join("copy");
    (folder, path)
}

#[test]
fn a_backup_under_load_is_the_state_between_two_commits() {
    let working = Threaded::new();
    let store = working.try_open().expect("it opens");
    filled(&store, 500);
    let (_folder, target) = place();
    let stop = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 10_000;
            while !stop.load(Ordering::SeqCst) {
                publish(&store, n);
                n += 1;
            }
        });
        let mut seen = Vec::new();
        let report = back_up(working.directory.path(), &target, &mut |progress| seen.push(progress));
        stop.store(true, Ordering::SeqCst);
        assert_eq!(seen.last().map(|progress| progress.done_bytes), seen.last().map(|p| p.total_bytes));
        report.expect("a backup")
    });
    assert!(report.events >= 500 && report.owed == report.events, "{report:?}");
    let checked = check(&target, &mut |_| {}).expect("it reads");
    assert_eq!((checked.problems, checked.events), (Vec::new(), report.events));
    block_on(store.close()).expect("it closes");
}

#[test]
fn a_restored_store_goes_on_above_everything_that_was_handed_out() {
    let working = Inline::new();
    let store = working.open_store();
    filled(&store, 3);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let lost = publish(&store, 104);
    let (_other, data) = place();
    let restored = restore(&backup, &data, Some(report.sha256)).expect("it restores");
    assert_eq!((restored.events, restored.owed, restored.workspaces), (3, 3, 1));
    let store = SqliteStore::open_inline(&data).expect("it opens");
    let next = publish(&store, 105);
    assert_eq!(next, Sequence(3 + RESTORE_SEQUENCE_STEP + 1));
    assert!(next > lost);
}

#[test]
fn a_damaged_backup_leaves_no_database() {
    let working = Inline::new();
    filled(&working.open_store(), 50);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let file = backup.join(DATABASE_FILE);
    let whole = fs::read(&file).expect("it reads");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], &b"not a database"[..]] {
        fs::write(&file, damaged).expect("it is damaged");
        let (_other, data) = place();
        let error = restore(&backup, &data, Some(report.sha256)).expect_err("it is damaged");
        assert!(matches!(error, CopyError::Damaged { .. }), "{error}");
        assert_eq!(fs::read_dir(&data).expect("the folder").count(), 0);
    }
}

#[test]
fn what_is_there_is_never_written_over() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let (_folder, backup) = place();
    let report = back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let again = back_up(working.directory.path(), &backup, &mut |_| {}).expect_err("it is not empty");
    assert!(matches!(again, CopyError::NotEmpty(_)), "{again}");
    let onto =
        restore(&backup, working.directory.path(), Some(report.sha256)).expect_err("there is a database");
    assert!(matches!(onto, CopyError::NotEmpty(_)), "{onto}");
    let (_other, nothing) = place();
    for missing in
        [back_up(&nothing, &backup.join("x"), &mut |_| {}).map(drop), check(&nothing, &mut |_| {}).map(drop)]
    {
        assert!(matches!(missing, Err(CopyError::NoDatabase(_))), "{missing:?}");
    }
    assert!(!backup.join("x").exists(), "nothing was made for a backup of nothing");
}

#[test]
fn a_key_that_lies_ready_is_no_obstacle() {
    let working = Inline::new();
    filled(&working.open_store(), 1);
    let (_folder, backup) = place();
    back_up(working.directory.path(), &backup, &mut |_| {}).expect("a backup");
    let (_other, data) = place();
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("master.key"), "00").expect("a key");
    restore(&backup, &data, None).expect("the folder holds no data");
}

#[test]
fn a_check_finds_what_does_not_agree() {
    let working = Inline::new();
    filled(&working.open_store(), 3);
    let path = working.directory.path();
    assert_eq!(check(path, &mut |_| {}).expect("it reads").problems, Vec::<String>::new());
    let connection = Connection::open(path.join(DATABASE_FILE)).expect("it opens");
    connection.execute("DELETE FROM message WHERE id = 101", []).expect("an event vanishes");
    drop(connection);
    let problems = check(path, &mut |_| {}).expect("it reads").problems;
    assert_eq!(
        problems,
        [
            "deliveries are owed whose event is gone: 11/101",
            "workspaces count other events, or other bytes, than they have: 1"
        ]
    );
}
