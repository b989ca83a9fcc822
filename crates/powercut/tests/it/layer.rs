//! The layer by itself: what it sees, and what it does to whoever writes when the power is gone.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;
use signalpost_powercut::{Image, Keep, Op, Pragma, Settings, Syncs, Watch, install};
use signalpost_testkit::TempDir;

fn watched(keep: Keep, pragmas: Vec<Pragma>) -> (Watch, TempDir) {
    install();
    let folder = TempDir::new().expect("a directory");
    (Watch::begin(folder.path(), Settings { keep, pragmas }).expect("it is there"), folder)
}

fn open(folder: &TempDir) -> Connection {
    let connection = Connection::open(folder.path().join("a.db")).expect("it opens");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x)")
        .expect("it works");
    connection
}

fn insert(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute("INSERT INTO t VALUES (zeroblob(3000))", [])
}

fn count(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("it counts")
}

/// What the log says is in the files is what is in the files.
#[test]
fn the_log_is_all_that_happens() {
    let (watch, folder) = watched(Keep::Log, Vec::new());
    let connection = open(&folder);
    for _ in 0..40 {
        insert(&connection).expect("it is stored");
    }
    let log = watch.log();
    let mut platter = signalpost_powercut::Platter::of(&log.base);
    log.ops.iter().for_each(|op| platter.apply(op));
    assert_eq!(platter.whole(), Image::read(folder.path()).expect("it can be read"));
    let syncs = log.ops.iter().filter(|op| matches!(op, Op::Sync { .. })).count();
    assert!(syncs >= 40, "{syncs}");
    drop(connection);
    let removed = |op: &Op| matches!(op, Op::Remove { path } if path == Path::new("a.db-wal"));
    assert!(watch.log().ops.iter().any(removed), "the last one to close folds the log back");
}

#[test]
fn what_goes_past_sqlite_is_seen_as_well() {
    let (watch, folder) = watched(Keep::Log, Vec::new());
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("d")).expect("a directory");
    fs::write(path("d/draft"), "text").expect("a file");
    let sync = |name: &str| File::open(path(name)).and_then(|file| file.sync_all()).expect("it syncs");
    sync("d/draft");
    fs::rename(path("d/draft"), path("d/final")).expect("it is renamed");
    sync("d");
    sync("");
    let ops: Vec<String> =
        watch.log().ops.iter().map(|op| format!("{op:?}").chars().take(13).collect()).collect();
    let expected = [
        "MakeDirectory",
        "Create { file",
        "Write { file:",
        "Sync { file: ",
        "Rename { from",
        "SyncDirectory",
        "SyncDirectory",
    ];
    assert_eq!(ops, expected);
}

#[test]
fn who_writes_in_the_dark_fails_and_what_was_safe_is_there_afterwards() {
    let (watch, folder) = watched(Keep::Platter(Syncs::Honoured), Vec::new());
    let connection = open(&folder);
    insert(&connection).expect("it is stored");
    watch.light_fuse(1);
    insert(&connection).expect_err("the power goes in the middle of it");
    assert!(watch.is_dark());
    insert(&connection).expect_err("it is still dark");
    watch.end_process(|| drop(connection));
    watch.lose_power(7).expect("it can be written to");
    assert!(matches!(count(&open(&folder)), 1 | 2));
}

#[test]
fn the_end_of_a_process_keeps_what_was_written_and_folds_nothing_back() {
    let (watch, folder) = watched(Keep::Platter(Syncs::Honoured), Vec::new());
    let connection = open(&folder);
    insert(&connection).expect("it is stored");
    watch.end_process(|| drop(connection));
    assert!(fs::metadata(folder.path().join("a.db-wal")).is_ok_and(|wal| wal.len() > 0));
    assert_eq!(count(&open(&folder)), 1);
}

#[test]
fn pragmas_are_changed_on_their_way() {
    let off = Pragma { name: c"synchronous", value: c"OFF", answer: Some(c"2") };
    let (watch, folder) = watched(Keep::Log, vec![off]);
    let connection = open(&folder);
    connection.execute_batch("PRAGMA synchronous = FULL").expect("it is taken");
    let answer: String =
        connection.pragma_query_value(None, "synchronous", |row| row.get(0)).expect("it answers");
    assert_eq!(answer, "2");
    let syncs = || watch.log().ops.iter().filter(|op| matches!(op, Op::Sync { .. })).count();
    let before = syncs();
    insert(&connection).expect("it is stored");
    assert_eq!(syncs(), before, "nobody asked for one");
}
