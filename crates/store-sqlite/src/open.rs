//! Opening the data directory: modes, the lock, the connections and what must be true of them.

use std::fs::{DirBuilder, File, OpenOptions as FileOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use signalpost_core::ports::Threads;
use signalpost_store::ledger::DiskSpace;

use crate::disk::Disk;
use crate::move_out::MARKER_FILE;
use crate::schema;

/// Where the data lies and who works on it.
pub struct OpenOptions<'a> {
    /// Made with mode 0700 when it does not exist.
    pub directory: PathBuf,
    pub threads: &'a dyn Threads,
    /// Threads that read, at least one; each has a connection of its own.
    pub readers: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the data directory {0} is in use by another process; stop that one first, or name another directory"
    )]
    InUse(PathBuf),
    #[error(
        "the data in {directory} was moved to PostgreSQL, and what was pending goes out from there; {marker} says where to. \
         Start with that database's URL. To go back for good, remove this file, and nothing that came after the move is \
         here, while what was delivered since goes out once more"
    )]
    Moved { directory: PathBuf, marker: PathBuf },
    #[error("cannot use {path}: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error(
        "the data was written by a newer version (schema {found}, this version knows {known}); run that version, \
         or restore a backup made before the upgrade"
    )]
    NewerSchema { found: i64, known: i64 },
    #[error(
        "migration {number} was applied with another text than this version's; the file is not from a release"
    )]
    ChangedMigration { number: i64 },
    #[error("the database file belongs to another program")]
    ForeignFile,
    #[error(
        "SQLite did not take `{pragma} = {wanted}`: it says `{found}`; is the directory on a local disk?"
    )]
    Pragma { pragma: &'static str, wanted: String, found: String },
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
    #[error(
        "the database in {directory} cannot be opened, for its disk has no room left; make some ({error})"
    )]
    NoRoom { directory: PathBuf, error: rusqlite::Error },
}

/// With less than this SQLite cannot make what it shares between connections, and says no more than "disk I/O error".
const OPENING_BYTES: u64 = 1024 * 1024;

impl OpenError {
    /// The same in words that help, where the disk is what is wrong.
    pub(crate) fn on(self, directory: &Path, space: Option<DiskSpace>) -> Self {
        match self {
            Self::Database(error) if space.is_some_and(|space| space.free_bytes < OPENING_BYTES) => {
                Self::NoRoom { directory: directory.to_owned(), error }
            }
            other => other,
        }
    }
}

pub(crate) const DATABASE_FILE: &str = "signalpost.db";
pub(crate) const WAL_FILE: &str = "signalpost.db-wal";
/// As in [`WRITER_PRAGMAS`].
pub(crate) const PAGE_BYTES: u64 = 8_192;
const LOCK_FILE: &str = "signalpost.lock";

/// How long to wait for a lock that an operator's shell may hold for a moment.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Above the number of statements of this crate, so that none is prepared twice.
const STATEMENTS_KEPT: usize = 192;

/// The page size must stand before the file has content. A checkpoint holds up the writer: nearly all of it is made on a thread of its
/// own ([`crate::fold`]), and SQLite makes one in a commit only from twice as many frames on as that begins the log anew.
/// `synchronous` is FULL: at group commit NORMAL gains nothing and may lose commits. `secure_delete` is FAST: what is deleted
/// is overwritten on pages that stay in use, and not on those that become free as a whole.
const WRITER_PRAGMAS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -65536;
    PRAGMA secure_delete = FAST;
    PRAGMA foreign_keys = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;";
/// For the one that does nothing but checkpoints, which are no changes of the data.
const FOLDER_PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA query_only = ON;
    PRAGMA trusted_schema = OFF;";
const READER_PRAGMAS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;";

/// Whether a database lies in this directory.
pub fn holds_database(directory: &Path) -> bool {
    directory.join(DATABASE_FILE).exists()
}

/// The data directory while it is ours. The lock goes with it, so it must outlive every connection.
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be and locks it against other processes.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        make_directory(path).map_err(failed(path))?;
        let lock = lock(path)?;
        let marker = path.join(MARKER_FILE);
        if marker.exists() {
            return Err(OpenError::Moved { directory: path.to_owned(), marker });
        }
        let database = path.join(DATABASE_FILE);
        // SQLite gives its -wal and -shm files the mode of the database file.
        create_private(&database, Existing::Kept).map_err(failed(&database))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The filesystem on which the database lies.
    pub(crate) fn disk(&self) -> Disk {
        Disk::of(&self.path, self.path.join(WAL_FILE))
    }

    /// The one connection that writes, with the newest schema.
    pub(crate) fn connect_writer(&self) -> Result<Connection, OpenError> {
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(WRITER_PRAGMAS)?;
        expect_pragma(&connection, "journal_mode", "wal")?;
        expect_pragma(&connection, "synchronous", "2")?;
        // 2 is FAST.
        expect_pragma(&connection, "secure_delete", "2")?;
        expect_pragma(&connection, "page_size", &PAGE_BYTES.to_string())?;
        schema::migrate(&mut connection)?;
        Ok(connection)
    }

    pub(crate) fn connect_reader(&self) -> Result<Connection, OpenError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch(READER_PRAGMAS)?;
        expect_pragma(&connection, "query_only", "1")?;
        Ok(connection)
    }

    /// A connection that folds the write-ahead log back.
    pub(crate) fn connect_folder(&self) -> Result<Connection, OpenError> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(FOLDER_PRAGMAS)?;
        expect_pragma(&connection, "synchronous", "2")?;
        Ok(connection)
    }

    fn connect(&self, access: OpenFlags) -> Result<Connection, OpenError> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path.join(DATABASE_FILE), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Plans must not depend on what is bound: without this SQLite prepares many a statement anew for each value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(connection)
    }
}

/// Locks a directory against other processes, for as long as the file is open.
pub(crate) fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join(LOCK_FILE);
    let lock = create_private(&path, Existing::Kept).map_err(failed(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |error| OpenError::File { path, error }
}

/// Makes a directory that its owner alone may use, with those above it that are missing, unless it is there already; and
/// sees to it that it is there after a power cut: what is synced inside a directory says nothing of the directory's name.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing = path.ancestors().take_while(is_missing).count();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Its own name also when it was there: whoever made it may have come no further.
    for made in path.ancestors().take(missing.max(1)) {
        let above = match made.parent() {
            Some(above) if above.as_os_str().is_empty() => Path::new("."),
            Some(above) => above,
            None => break,
        };
        // It may be one that we may not read. That is no reason not to start.
        if let Err(error) = File::open(above).and_then(|above| above.sync_all()) {
            let directory = made.display();
            if missing == 0 && error.kind() == io::ErrorKind::PermissionDenied {
                tracing::debug!(%directory, %error, "cannot sync the directory above");
            } else {
                tracing::warn!(
                    %directory,
                    %error,
                    "cannot sync the directory above; after a power cut this one may be missing if it is new"
                );
            }
        }
    }
    Ok(())
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is opened as it is.
    Kept,
    Refused,
}

/// Opens a file for reading and writing that its owner alone may read, and makes it when it is missing.
pub fn create_private(path: &Path, existing: Existing) -> io::Result<File> {
    let mut options = FileOptions::new();
    options.read(true).write(true).mode(0o600);
    match existing {
        Existing::Kept => options.create(true).truncate(false),
        Existing::Refused => options.create_new(true),
    };
    options.open(path)
}

fn expect_pragma(connection: &Connection, pragma: &'static str, wanted: &str) -> Result<(), OpenError> {
    let value: rusqlite::types::Value = connection.pragma_query_value(None, pragma, |row| row.get(0))?;
    let found = match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    if found == wanted { Ok(()) } else { Err(OpenError::Pragma { pragma, wanted: wanted.to_owned(), found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pragma_that_did_not_take_is_an_error() {
        let connection = Connection::open_in_memory().expect("memory");
        assert!(expect_pragma(&connection, "synchronous", "2").is_ok());
        let error = expect_pragma(&connection, "journal_mode", "wal").expect_err("memory has no WAL");
        assert!(error.to_string().contains("`memory`"), "{error}");
    }

    #[test]
    fn a_disk_without_room_is_named_with_what_to_do() {
        let on = |free_bytes: u64| {
            let error = OpenError::Database(rusqlite::Error::InvalidQuery);
            error.on(Path::new("/data"), Some(DiskSpace { free_bytes, total_bytes: 1 << 40 })).to_string()
        };
        assert!(on(0).starts_with("the database in /data cannot be opened, for its disk has no room left"));
        assert!(on(1 << 30).starts_with("the database cannot be opened"));
        assert!(matches!(OpenError::ForeignFile.on(Path::new("/data"), None), OpenError::ForeignFile));
    }
}
