//! Copies of a whole store: made while it works, checked, and put in place again.

mod backup;
mod check;
mod restore;

pub use backup::{BackupReport, back_up};
pub use check::{CheckReport, check};
pub use restore::{Keys, RestoreOptions, RestoreReport, number_step, restore, sequence_step};

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use crate::open::{OpenError, make_directory};
use crate::schema;

/// Name of a database that is still being written; a crash leaves this and never half a database.
const PARTIAL: &str = "signalpost.db.partial";
/// Of key files.
const KEY_EXTENSION: &str = "key";
const READ_BYTES: usize = 1 << 20;

const COUNT_WORKSPACES: &str = "SELECT count(*) FROM workspace WHERE erased_at IS NULL";
const COUNT_EVENTS: &str = "SELECT count(*) FROM message";
const COUNT_OWED: &str = "SELECT count(*) FROM due";

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("there is no database in {0}")]
    NoDatabase(PathBuf),
    #[error("{0} is not empty; name a folder that does not exist or is empty")]
    NotEmpty(PathBuf),
    #[error("cannot use {path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("{path} is damaged: {problem}")]
    Damaged { path: PathBuf, problem: String },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
}

/// How far a copy is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CopyError + use<> {
    let path = path.to_owned();
    move |error| CopyError::File { path, error }
}

/// A connection that changes nothing, to a database that another process may be working on.
///
/// Not opened read-only: with nobody else at work SQLite has to make the shared memory of its log first.
pub(crate) fn connect_to_look(database: &Path) -> Result<Connection, CopyError> {
    if !database.is_file() {
        return Err(CopyError::NoDatabase(database.parent().unwrap_or(database).to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(crate::open::BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    schema::recognise(&connection)?;
    Ok(connection)
}

/// The one number that a query gives.
fn number(connection: &Connection, sql: &str) -> Result<u64, CopyError> {
    let number: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Makes a directory of ours, or takes one that holds nothing but keys, which may lie ready.
fn make_empty(directory: &Path) -> Result<(), CopyError> {
    make_directory(directory).map_err(failed(directory))?;
    for entry in std::fs::read_dir(directory).map_err(failed(directory))? {
        let name = entry.map_err(failed(directory))?.file_name();
        if Path::new(&name).extension().is_none_or(|extension| extension != KEY_EXTENSION) {
            return Err(CopyError::NotEmpty(directory.to_owned()));
        }
    }
    Ok(())
}

/// Does something that makes a file, and removes the file when that fails: it is no database, nobody would look for it,
/// and it would stand in the way of another try.
fn or_remove<T>(partial: &Path, make: impl FnOnce() -> Result<T, CopyError>) -> Result<T, CopyError> {
    let made = make();
    if made.is_err()
        && let Err(error) = std::fs::remove_file(partial)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %partial.display(), %error, "what is left of a copy that failed cannot be removed");
    }
    made
}

/// Gives a complete database its name, so that it is there after a power cut.
fn put_in_place(partial: &Path, database: &Path) -> Result<(), CopyError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(partial).map_err(failed(partial))?;
    std::fs::rename(partial, database).map_err(failed(database))?;
    let directory = database.parent().unwrap_or(Path::new("."));
    sync(directory).map_err(failed(directory))
}

/// SHA-256 and length of a file.
fn digest(path: &Path) -> Result<([u8; 32], u64), CopyError> {
    let mut file = File::open(path).map_err(failed(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; READ_BYTES];
    let mut bytes = 0u64;
    loop {
        let read = file.read(&mut buffer).map_err(failed(path))?;
        if read == 0 {
            return Ok((hash.finalize().into(), bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}
