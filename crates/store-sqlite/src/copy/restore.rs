//! `restore`: a backup becomes the database of an empty data directory.

use std::path::Path;

use rusqlite::Connection;

use super::{
    COUNT_EVENTS, COUNT_OWED, COUNT_WORKSPACES, CopyError, PARTIAL, digest, failed, make_empty, number,
    put_in_place,
};
use crate::open::{DATABASE_FILE, create_private};
use crate::schema;

/// How far every workspace's sequence goes ahead: what was handed out after the backup is below, so that a consumer
/// that has seen it skips nothing that is published from here on.
pub const RESTORE_SEQUENCE_STEP: i64 = 1 << 20;

const ADVANCE: &str = "UPDATE head SET sequence = sequence + ?1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    pub bytes: u64,
    pub workspaces: u64,
    pub events: u64,
    /// Deliveries that the backup still owed: they go out again, also those that were delivered after it was taken.
    pub owed: u64,
}

/// Copies the database of the backup `from` into the data directory `to`, which must be empty or missing.
///
/// `expected` is what the backup's manifest says of the file. Everything is checked before the database gets its
/// name; after an error `to` holds no database.
pub fn restore(from: &Path, to: &Path, expected: Option<[u8; 32]>) -> Result<RestoreReport, CopyError> {
    let backup = from.join(DATABASE_FILE);
    if !backup.is_file() {
        return Err(CopyError::NoDatabase(from.to_owned()));
    }
    make_empty(to)?;
    let partial = to.join(PARTIAL);
    let restored = write(&backup, &partial, expected);
    if restored.is_err() {
        // What is left is not a database, and nobody would look for it.
        drop(std::fs::remove_file(&partial));
    }
    let report = restored?;
    put_in_place(&partial, &to.join(DATABASE_FILE))?;
    Ok(report)
}

fn write(backup: &Path, partial: &Path, expected: Option<[u8; 32]>) -> Result<RestoreReport, CopyError> {
    create_private(partial).map_err(failed(partial))?;
    let bytes = std::fs::copy(backup, partial).map_err(failed(backup))?;
    let (sha256, _) = digest(partial)?;
    if expected.is_some_and(|expected| expected != sha256) {
        let problem = "its checksum is not the one in the manifest".to_owned();
        return Err(CopyError::Damaged { path: backup.to_owned(), problem });
    }
    let connection = Connection::open(partial)?;
    // The file is ours alone and is synced as a whole at the end.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA trusted_schema = OFF;")?;
    schema::recognise(&connection)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CopyError::Damaged { path: backup.to_owned(), problem: verdict });
    }
    connection.execute(ADVANCE, [RESTORE_SEQUENCE_STEP])?;
    let report = RestoreReport {
        bytes,
        workspaces: number(&connection, COUNT_WORKSPACES)?,
        events: number(&connection, COUNT_EVENTS)?,
        owed: number(&connection, COUNT_OWED)?,
    };
    connection.close().map_err(|(_, error)| error)?;
    Ok(report)
}
