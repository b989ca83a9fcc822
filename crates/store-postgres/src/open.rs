//! Opening: where the database is, and why it may not be used.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::cell::CellNumber;
use signalpost_core::limits::NODES_MAX;
use signalpost_core::ports::{Clock, Threads};
use signalpost_core::time::{Monotonic, Timestamp};

use crate::failure::Failure;
use crate::nodes::{Duty, Process};
use crate::tls::TlsSettings;

/// How long an answer of the server is waited for, where whoever opens has no reason to choose otherwise. The server gives up
/// a statement after two thirds of it and the wait for a lock after half. No statement of ours takes more than a second or
/// two on a healthy server, and a publisher's own patience is about as long.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the data lies and who works on it.
pub struct OpenOptions<'a> {
    /// As libpq has it: `postgres://user:password@host:port/database?parameters`, with `sslmode` and `sslrootcert` as
    /// [`crate::TlsSettings`] serves them.
    pub url: String,
    /// What our tables lie in. Made when it does not exist; a name of letters, digits and underscores.
    pub schema: String,
    /// A connection on which an answer takes longer is given up, and what became of a commit is asked for on another one:
    /// [`ANSWER_TIMEOUT`].
    pub answer_timeout: Duration,
    /// Asked for when a connection may be encrypted.
    pub tls: &'a TlsSettings<'a>,
    pub threads: &'a dyn Threads,
    /// By which a lease is relied on; the engine's.
    pub clock: Arc<dyn Clock>,
    /// Told at the start and with each renewal what time it is by the server, for [`Self::clock`] to go by: nodes have no other
    /// clock in common, and what one says is due another sends.
    pub on_server_time: Arc<dyn Fn(ServerTime) + Send + Sync>,
    pub process: Process,
    pub duty: Duty,
    /// Which part of an installation this database is; `None` for the whole.
    pub cell: Option<CellNumber>,
}

/// A reading of the server's clock, made at some moment between two readings of ours.
#[derive(Clone, Copy, Debug)]
pub struct ServerTime {
    pub asked: Monotonic,
    pub said: Timestamp,
    pub answered: Monotonic,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    #[error("{0:?} is no name for a schema: letters, digits and underscores, and no digit first")]
    Schema(String),
    #[error(
        "the server has {name} = {found}, with which it forgets what it has confirmed; set it to {wanted}"
    )]
    Setting { name: &'static str, wanted: &'static str, found: String },
    #[error(
        "the data was written by a newer version: its schema is {found}, on which a program must know {bears} at least to work, \
         and this one knows {known}; run that version"
    )]
    NewerSchema { found: i64, known: i64, bears: i64 },
    #[error(
        "processes of an older version work on this database: they know its schema up to {known}, and this version's is one \
         for programs that know {bears} at least; stop them first, or go by way of a version in between"
    )]
    OlderAtWork { known: i64, bears: i64 },
    #[error("a newer version is changing the tables of this database right now: wait until that is done")]
    Migrating,
    #[error(
        "migration {number} was applied with another text than this version's; the database is not from a release"
    )]
    ChangedMigration { number: i64 },
    #[error(
        "so many nodes work on this database that there are no more numbers; {NODES_MAX} are divided among all cells"
    )]
    Crowded,
    #[error("this database is cell {found} of an installation, and was given as {}", described(*.wanted))]
    OtherCell { found: CellNumber, wanted: Option<CellNumber> },
    #[error(
        "this database is given as cell {wanted}, and holds what was made before it was one: only cell 0 may"
    )]
    NotEmpty { wanted: CellNumber },
    #[error("processes work on this database: stop them before another store is moved into it")]
    InUse,
    #[error("another store is being moved into this database right now: wait until that is done")]
    BeingMoved,
    #[error(
        "a move from an embedded store into this database is not finished: give the same `signalpost migrate --from … --to …` \
         again until it is, or start anew with DROP SCHEMA signalpost CASCADE, with which all that was moved so far goes"
    )]
    Unfinished,
    #[error("the database cannot be used: {0}")]
    Database(String),
    #[error("no executor for the store's thread: {0}")]
    Runtime(std::io::Error),
    #[error("the store's thread has ended before it was open; the log says why")]
    Ended,
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Database(failure.describe())
    }
}

fn described(wanted: Option<CellNumber>) -> String {
    wanted.map_or_else(|| "the only one".to_owned(), |wanted| format!("cell {wanted}"))
}

/// Refuses a name that would have to be quoted.
pub(crate) fn check_schema(name: &str) -> Result<(), OpenError> {
    let is_good = |(place, byte): (usize, u8)| {
        byte == b'_' || byte.is_ascii_lowercase() || (place > 0 && byte.is_ascii_digit())
    };
    // 63 bytes is what PostgreSQL keeps of a name.
    if !name.is_empty() && name.len() <= 63 && name.bytes().enumerate().all(is_good) {
        Ok(())
    } else {
        Err(OpenError::Schema(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_needs_no_quotes() {
        for good in ["signalpost", "a", "_1", &"x".repeat(63)] {
            assert!(check_schema(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "a b", "a\"b", "A", "é", "a;b", &"x".repeat(64)] {
            assert!(check_schema(bad).is_err(), "{bad}");
        }
    }
}
