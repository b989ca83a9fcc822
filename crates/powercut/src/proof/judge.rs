//! What every course asks of what is left: it opens, it is whole, and its tables agree with each other.

use std::path::Path;

use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Ledger, Store};
use signalpost_store_sqlite::SqliteStore;
use signalpost_store_sqlite::copy::check;

use super::place::data;

/// Opens the store of a folder by its ordinary code.
pub(super) fn open(folder: &Path) -> Result<SqliteStore, String> {
    SqliteStore::open_inline(&data(folder)).map_err(|error| format!("it does not open: {error}"))
}

/// Every page, every index and every rule between tables. The store is open meanwhile.
pub(super) fn check_whole(directory: &Path) -> Result<(), String> {
    let found = check(directory, &mut |_| {}).map_err(|error| format!("it cannot be read: {error}"))?;
    if found.problems.is_empty() { Ok(()) } else { Err(found.problems.join("; ")) }
}

pub(super) fn snapshot(store: &dyn Store) -> Result<Snapshot, String> {
    block_on(Snapshot::of(store)).map_err(|error| format!("it cannot be read: {error}"))
}

/// A store at work again: it takes a number, and closes.
pub(super) fn close(store: &SqliteStore) -> Result<(), String> {
    block_on(store.close()).map_err(|error| format!("it does not close: {error}"))
}
