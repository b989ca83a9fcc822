//! The two ends of a move, as a backend's crate fills them in.

use signalpost_core::limits::{TRANSFER_BYTES_MAX, TRANSFER_ROWS_MAX};

use super::cell::{Key, Record};
use super::{Checksum, Table, TransferError};

/// Which source it is, and what it holds: digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The installation.
    pub source: [u8; 32],
    /// Differs as soon as anything was published, delivered or changed.
    pub state: [u8; 32],
}

/// Rows of a table in the order of its key.
#[derive(Debug)]
pub struct Page {
    /// There may be none although some follow.
    pub rows: Vec<Record>,
    /// The key behind which the next page begins; `None` behind the last one.
    pub next: Option<Key>,
}

/// Of what is moved in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub rows: usize,
    /// Beside those of the last row.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { rows: TRANSFER_ROWS_MAX, bytes: TRANSFER_BYTES_MAX }
    }
}

/// How far a table has come in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Behind this key; `None` before the first row.
    At(Option<Key>),
    Done,
}

impl Stand {
    /// As it was written down, if it was: the last key, and whether it was the last one of all. `None` for what is no key of so many
    /// columns.
    pub fn recall(written: Option<(Option<Vec<u8>>, bool)>, key_columns: usize) -> Option<Self> {
        match written {
            None | Some((None, false)) => Some(Self::At(None)),
            Some((_, true)) => Some(Self::Done),
            Some((Some(bytes), false)) => {
                let key = Key::from_bytes(&bytes).filter(|key| key.0.len() == key_columns)?;
                Some(Self::At(Some(key)))
            }
        }
    }
}

/// Where rows come from. It does not change while it is open.
pub trait Source {
    /// What tells this installation from others.
    fn source_digest(&mut self) -> Result<[u8; 32], TransferError>;
    fn highest_id(&mut self) -> Result<i64, TransferError>;
    /// How many rows a table has; `None` where they would have to be looked for.
    fn count(&mut self, table: &'static Table) -> Result<Option<u64>, TransferError>;
    /// Some rows behind a key, within the bounds on a page.
    fn page(&mut self, table: &'static Table, after: Option<&Key>) -> Result<Page, TransferError>;
    /// Everything in a table, by a way of its own.
    fn checksum(&mut self, table: &'static Table) -> Result<Checksum, TransferError>;
}

/// Where rows go.
pub trait Target {
    fn stand(&mut self, table: &'static Table) -> Result<Stand, TransferError>;
    /// Rows, and how far the table has come with them, in one synced transaction.
    fn put(&mut self, table: &'static Table, page: &Page) -> Result<(), TransferError>;
    fn highest_id(&mut self) -> Result<i64, TransferError>;
    fn checksum(&mut self, table: &'static Table) -> Result<Checksum, TransferError>;
}
