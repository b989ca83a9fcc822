//! What every course asks of what is left: it opens, it is whole, and its tables agree with each other.

use std::fmt;
use std::path::Path;

use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Ledger, Store, StoreError};
use signalpost_store_sqlite::SqliteStore;
use signalpost_store_sqlite::copy::check;

use super::place::data;

/// What is wrong with what a power loss has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A row that somebody was told of is not there, and everything can be read.
    Missing(String),
    /// Anything else: it does not open, it is not whole, there are things that nobody asked for.
    Broken(String),
}

impl Loss {
    /// The same, with a word before it that says whose it is.
    pub(super) fn of(self, whose: &str) -> Self {
        match self {
            Self::Missing(what) => Self::Missing(format!("{whose}: {what}")),
            Self::Broken(what) => Self::Broken(format!("{whose}: {what}")),
        }
    }
}

impl From<String> for Loss {
    fn from(what: String) -> Self {
        Self::Broken(what)
    }
}

impl From<StoreError> for Loss {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) | Self::Broken(what) => f.write_str(what),
        }
    }
}

/// The two states between which a store must be.
pub(super) struct Between<'a> {
    pub(super) before: &'a Snapshot,
    /// `None` when no step was under way.
    pub(super) after: Option<&'a Snapshot>,
}

impl Between<'_> {
    /// The loss in what is seen, which was compared: told from other faults by a row that is not there.
    pub(super) fn loss(&self, seen: &Snapshot, what: String) -> Loss {
        match self.before.missing_in(seen, self.after) {
            Some(row) => Loss::Missing(format!("{what}; {row}")),
            None => Loss::Broken(what),
        }
    }
}

/// Opens the store of a folder by its ordinary code.
pub(super) fn open(folder: &Path) -> Result<SqliteStore, String> {
    open_at(&data(folder))
}

pub(super) fn open_at(directory: &Path) -> Result<SqliteStore, String> {
    SqliteStore::open_inline(directory).map_err(|error| format!("it does not open: {error}"))
}

/// Every page, every index and every rule between tables. The store may be open meanwhile.
pub(super) fn check_whole(directory: &Path) -> Result<(), String> {
    let found = check(directory, &mut |_| {}).map_err(|error| format!("it cannot be read: {error}"))?;
    if found.problems.is_empty() { Ok(()) } else { Err(found.problems.join("; ")) }
}

pub(super) fn snapshot(store: &dyn Store) -> Result<Snapshot, String> {
    block_on(Snapshot::of(store)).map_err(|error| format!("it cannot be read: {error}"))
}

/// What is seen is what there must be, to the last row.
pub(super) fn check_same(expected: &Snapshot, store: &dyn Store) -> Result<(), Loss> {
    let seen = snapshot(store)?;
    match expected.difference(&seen) {
        None => Ok(()),
        Some(what) => Err(Between { before: expected, after: None }.loss(&seen, what)),
    }
}

/// Finishes what waits, and closes.
pub(super) fn close(store: &SqliteStore) -> Result<(), String> {
    block_on(store.close()).map_err(|error| format!("it does not close: {error}"))
}
