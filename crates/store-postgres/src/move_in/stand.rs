//! How far a move is.

use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};
use signalpost_store::transfer::{Key, Page, Stand, Table, TransferError};

use super::Problem;
use crate::failure::Failure;
use crate::session::{Session, limit};

const UNFINISHED: &str = "SELECT 1 FROM migration WHERE done = 0";
const SELECT: &str = "SELECT name, come_to, done FROM migration_table WHERE name = $1";
const RAISE: &str = "INSERT INTO migration_table (name, rows, come_to, done) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE SET rows = migration_table.rows + excluded.rows,
        come_to = coalesce(excluded.come_to, migration_table.come_to), done = excluded.done";

/// Whether part of a store lies here, and not all of it.
pub(crate) async fn is_unfinished(session: &Session) -> Result<bool, Failure> {
    session.exists(UNFINISHED, &[]).await
}

pub(super) async fn read(session: &Session, table: &Table) -> Result<Stand, Problem> {
    let written = session.one(SELECT, &[&table.name], |row| written(row, "migration_table")).await?;
    Stand::recall(written, table.key_columns).ok_or_else(|| {
        TransferError::Target(format!("migration_table {}: come_to is no key", table.name)).into()
    })
}

/// How far a table has come, of a row that begins with the table's name.
pub(crate) fn written(row: &Row<'_>, of: &'static str) -> Result<(Option<Vec<u8>>, bool), StoreError> {
    let mut fields = Fields::new(row, of, 1);
    fields.skip();
    let come_to = fields.optional_blob("come_to")?.map(<[u8]>::to_vec);
    Ok((come_to, fields.integer("done")? != 0))
}

/// In the transaction that brings the page's rows.
pub(super) async fn raise(session: &Session, table: &Table, page: &Page) -> Result<(), Problem> {
    let (rows, come_to) = (limit(page.rows.len()), page.next.as_ref().map(Key::to_bytes));
    let done = i64::from(page.next.is_none());
    session.execute(RAISE, &[&table.name, &rows, &come_to, &done]).await?;
    Ok(())
}
