//! Everything out of a data directory that nobody works on, for a move into another store. Nothing in the database changes.

mod marker;
mod select;
mod untried;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use sha2::{Digest, Sha256};
use signalpost_core::secret::SealedSecret;
use signalpost_store::transfer::{Bounds, Cell, Checksum, Key, Page, Record, Source, Table, TransferError};

use self::select::Values;
use crate::copy::{CopyError, connect_to_look};
use crate::fetch::Cells;
use crate::open::{DATABASE_FILE, OpenError, lock};
use crate::{meta, schema};

pub(crate) use self::marker::MARKER_FILE;

const SELECT_KEY_CHECK: &str = "SELECT sealed FROM key_check WHERE id = 1";

#[derive(Debug, thiserror::Error)]
pub enum MoveOutError {
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(
        "the data was written by an earlier version (schema {found}, this version writes {known}), and it is not changed here"
    )]
    OldSchema { found: i64, known: i64 },
}

/// A data directory that is ours for as long as this is open.
pub struct MoveOut {
    directory: PathBuf,
    bounds: Bounds,
    connection: Connection,
    _lock: File,
}

impl MoveOut {
    /// Refuses a directory in which there is no database, or that is in use.
    pub fn open(directory: &Path, bounds: Bounds) -> Result<Self, MoveOutError> {
        let database = directory.join(DATABASE_FILE);
        if !database.is_file() {
            return Err(CopyError::NoDatabase(directory.to_owned()).into());
        }
        let lock = lock(directory).map_err(CopyError::from)?;
        let connection = connect_to_look(&database)?;
        let found = schema::recognise(&connection).map_err(CopyError::from)?;
        let known = schema::newest();
        if found < known {
            return Err(MoveOutError::OldSchema { found, known });
        }
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .and_then(|_| connection.execute_batch("BEGIN"))
            .map_err(CopyError::from)?;
        Ok(Self { directory: directory.to_owned(), bounds, connection, _lock: lock })
    }

    /// The value by which the right master key is recognised, if the directory was ever served from.
    pub fn key_check(&self) -> Result<Option<SealedSecret>, TransferError> {
        let found = self.connection.query_row(SELECT_KEY_CHECK, [], |row| row.get::<_, Vec<u8>>(0));
        Ok(found.optional().map_err(failed)?.map(SealedSecret::from_bytes))
    }

    /// Whether a move out of here has come to its end, so that nobody serves from here any more.
    pub fn is_left(&self) -> bool {
        marker::exists(&self.directory)
    }

    /// From here on no store opens in this directory. `where_to` is a sentence for whoever finds the marker.
    pub fn leave(&self, where_to: &str) -> Result<PathBuf, TransferError> {
        marker::write(&self.directory, where_to).map_err(|error| TransferError::Source(error.to_string()))
    }
}

impl Source for MoveOut {
    fn source_digest(&mut self) -> Result<[u8; 32], TransferError> {
        let sealed = self.key_check()?;
        Ok(Sha256::digest(sealed.as_ref().map_or(&[][..], SealedSecret::as_bytes)).into())
    }

    fn highest_id(&mut self) -> Result<i64, TransferError> {
        meta::read_highest_id(&self.connection).map_err(failed)
    }

    fn count(&mut self, table: &'static Table) -> Result<Option<u64>, TransferError> {
        if table.name == untried::TABLE {
            return Ok(None);
        }
        let sql = select::count(table);
        let rows: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
        Ok(u64::try_from(rows).ok())
    }

    fn page(&mut self, table: &'static Table, after: Option<&Key>) -> Result<Page, TransferError> {
        if table.name == untried::TABLE {
            return untried::page(&self.connection, after, self.bounds.rows);
        }
        let mut page = Page { rows: Vec::new(), next: None };
        let mut bytes = 0;
        let values = Values::behind(after, self.bounds.rows);
        each_row(&self.connection, &select::page(table, after), &values, table, &mut |row| {
            bytes += row.iter().map(Cell::bytes).sum::<usize>();
            page.rows.push(row);
            bytes < self.bounds.bytes
        })?;
        let is_full = page.rows.len() == self.bounds.rows || bytes >= self.bounds.bytes;
        page.next = page.rows.last().filter(|_| is_full).map(|row| table.key_of(row));
        Ok(page)
    }

    fn checksum(&mut self, table: &'static Table) -> Result<Checksum, TransferError> {
        let mut sum = Checksum::default();
        if table.name == untried::TABLE {
            untried::each(&self.connection, &mut |row| sum.add(row))?;
            return Ok(sum);
        }
        each_row(&self.connection, &select::all(table), &Values::none(), table, &mut |row| {
            sum.add(&row);
            true
        })?;
        Ok(sum)
    }
}

/// Rows until there is none or `take` has enough.
fn each_row(
    connection: &Connection,
    sql: &str,
    values: &Values,
    table: &'static Table,
    take: &mut dyn FnMut(Record) -> bool,
) -> Result<(), TransferError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params_from_iter(values.iter())).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        if !take(table.read(&Cells(row))?) {
            break;
        }
    }
    Ok(())
}

fn failed(error: rusqlite::Error) -> TransferError {
    TransferError::Source(error.to_string())
}

impl From<OpenError> for MoveOutError {
    fn from(error: OpenError) -> Self {
        Self::Copy(error.into())
    }
}

#[cfg(test)]
mod tests;
