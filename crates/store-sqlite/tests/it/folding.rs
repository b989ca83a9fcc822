//! The write-ahead log while events come without a pause.

use std::fs;

use signalpost_core::id::WorkspaceId;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_sqlite::SqliteStore;

use crate::support::Threaded;

/// More than the pages that the log may have, by far.
const EVENTS: i64 = 1_000;
const PAYLOAD_BYTES: usize = 100_000;
/// Of a page in the log, with its header.
const FRAME_BYTES: u64 = 8_192 + 24;
/// The log is begun anew from 4,000 frames on; the writer's connection by itself would do so from 8,000.
const FRAMES_MAX: u64 = 6_000;

fn accept_large(store: &SqliteStore, workspace: WorkspaceId, version: u64, number: i64) {
    let mut event = sample::event(workspace, number, version, &[]);
    event.content.data = format!("\"{}\"", "x".repeat(PAYLOAD_BYTES)).into();
    block_on(store.accept(vec![event])).expect("it is accepted");
}

#[test]
fn the_log_is_folded_back_while_commits_go_on() {
    let place = Threaded::new();
    let store = place.try_open().expect("it opens");
    let workspace = sample::workspace(1);
    let id = workspace.id;
    block_on(store.create_workspace(workspace)).expect("a workspace");
    let version = block_on(store.fan_out(id)).expect("it reads").expect("it exists").version;
    for number in 101..101 + EVENTS {
        accept_large(&store, id, version, number);
    }
    let bytes = |name: &str| fs::metadata(place.directory.path().join(name)).expect("it is there").len();
    let frames = bytes("signalpost.db-wal") / FRAME_BYTES;
    assert!(frames <= FRAMES_MAX, "the log has had {frames} frames at once");
    let written = EVENTS as u64 * PAYLOAD_BYTES as u64;
    assert!(bytes("signalpost.db") > written / 2, "most of it is in the database while the store is open");
    block_on(store.close()).expect("it closes");
}
