//! The database's disk runs full. Whether the server refuses or dies of it, nothing that it confirmed is lost.

use std::time::Duration;

use signalpost_testkit::{Lies, Postgres, SmallDisk, TempDir, wait_for};

use super::stage::{PATIENCE, Stage};

const MB: u64 = 1024 * 1024;
/// A server that died of a full disk starts itself again within a second, or not at all.
const BACK_WITHIN: Duration = Duration::from_secs(3);

/// The server refuses what it has no room for, and goes on.
#[test]
fn tables_without_room_are_refused_as_full_and_written_again_when_there_is_some() {
    let disk = SmallDisk::mount(96 * MB, 40 * MB).expect("a small disk; it needs root");
    let elsewhere = TempDir::new().expect("a folder");
    let server = Postgres::start_on(&disk, Lies::WithoutLog(&elsewhere), &[]).expect("a server");
    let mut stage = Stage::on(server);
    stage.publish_much();
    let told = stage.publish_while(|_, progress| {
        wait_for("a full disk", PATIENCE, || progress.full() >= 3).expect("it is told of");
        disk.make_room().expect("the ballast goes");
    });
    stage.check(&told);
}

/// A server without room for its log dies, and comes back when there is some.
#[test]
fn a_log_without_room_ends_the_server_and_loses_nothing() {
    let disk = SmallDisk::mount(128 * MB, 48 * MB).expect("a small disk; it needs root");
    let settings = ["max_wal_size=1GB", "min_wal_size=32MB"];
    let server = Postgres::start_on(&disk, Lies::Whole, &settings).expect("a server");
    let mut stage = Stage::on(server);
    stage.publish_much();
    let told = stage.publish_while(|server, progress| {
        progress.all_refused();
        disk.make_room().expect("the ballast goes");
        if wait_for("the server", BACK_WITHIN, || server.answers()).is_err() {
            server.crash().expect("what is left of it ends");
            server.launch().expect("it recovers");
        }
    });
    stage.check(&told);
}
