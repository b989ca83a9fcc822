//! The directory, its lock and its modes; closing and not closing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_store_sqlite::{OpenError, OpenOptions, SqliteStore};

use crate::support::{Inline, Threaded};

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o777
}

#[test]
fn nobody_else_may_read_what_is_made() {
    let place = Threaded::new();
    let directory = place.directory.path().join("new").join("data");
    let options = OpenOptions { directory: directory.clone(), threads: &place.threads, readers: 1 };
    let store = SqliteStore::open(options).expect("it opens");
    block_on(store.create_workspace(sample::workspace(1))).expect("a write");
    assert_eq!(mode_of(&directory), 0o700);
    for file in ["signalpost.db", "signalpost.db-wal", "signalpost.db-shm", "signalpost.lock"] {
        assert_eq!(mode_of(&directory.join(file)), 0o600, "{file}");
    }
    block_on(store.close()).expect("it closes");
}

#[test]
fn a_second_opening_is_refused_and_says_what_to_do() {
    let place = Threaded::new();
    let store = place.try_open().expect("it opens");
    for second in [place.try_open(), SqliteStore::open_inline(place.directory.path())] {
        let error = second.err().expect("the directory is in use");
        assert!(matches!(&error, OpenError::InUse(path) if path == place.directory.path()), "{error}");
        assert!(error.to_string().contains("stop that one first"), "{error}");
    }
    block_on(store.create_workspace(sample::workspace(1))).expect("the first goes on");
    block_on(store.close()).expect("it closes");
    let again = place.try_open().expect("a close frees the directory, also before the drop");
    drop(store);
    block_on(again.create_workspace(sample::workspace(2))).expect("the new one is not harmed");
}

#[test]
fn closing_folds_the_log_into_the_file() {
    let place = Threaded::new();
    let store = place.try_open().expect("it opens");
    block_on(store.create_workspace(sample::workspace(1))).expect("a write");
    assert!(place.directory.path().join("signalpost.db-wal").exists());
    block_on(store.close()).expect("it closes");
    assert!(!place.directory.path().join("signalpost.db-wal").exists());
}

#[test]
fn what_was_called_before_a_close_is_done_and_what_comes_after_is_refused() {
    let place = Threaded::new();
    let store = place.try_open().expect("it opens");
    let before: Vec<_> = (1..=100).map(|n| store.create_workspace(sample::workspace(n))).collect();
    let closing = store.close();
    let after = store.create_workspace(sample::workspace(101));
    assert!(matches!(block_on(after), Err(StoreError::Unavailable(_))));
    block_on(closing).expect("it closes");
    for answer in before {
        block_on(answer).expect("it was called in time");
    }
    assert!(matches!(block_on(store.fan_out(sample::workspace(1).id)), Err(StoreError::Unavailable(_))));
    block_on(store.close()).expect("closing twice is no error");
    let found = block_on(place.open().workspace_by_public_id("ws-100".to_owned())).expect("it reads");
    assert_eq!(found, Some(sample::workspace(100)));
}

/// The process ends between two commits: nothing is closed, and the next one finds what was answered.
#[test]
fn a_store_that_is_dropped_in_the_middle_keeps_what_it_answered() {
    let place = Inline::new();
    let store = place.open_store();
    block_on(store.create_workspace(sample::workspace(1))).expect("a write");
    let unpolled = store.create_workspace(sample::workspace(2));
    drop(store);
    drop(unpolled);
    let store = place.open_store();
    let names: Vec<_> = [1, 2]
        .map(|n| block_on(store.workspace_by_public_id(format!("ws-{n}"))).expect("it reads").is_some())
        .into();
    assert_eq!(names, [true, false]);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let place = Threaded::new();
    fs::write(place.directory.path().join("signalpost.db"), "something else entirely, not a database")
        .expect("it is written");
    assert!(matches!(place.try_open(), Err(OpenError::Database(_))));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = Threaded::new();
    let file = place.directory.path().join("file");
    fs::write(&file, "").expect("it is written");
    let error = SqliteStore::open_inline(&file.join("data")).err().expect("a file is no directory");
    assert!(error.to_string().contains("file/data"), "{error}");
}
