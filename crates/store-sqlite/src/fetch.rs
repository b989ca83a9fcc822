//! Running a query and decoding its rows.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params};
use signalpost_store::StoreError;
use signalpost_store::row::{Columns, Row, Value};

use crate::failure::Failure;

/// A row of SQLite.
pub(crate) struct Cells<'r>(pub(crate) &'r rusqlite::Row<'r>);

impl Columns for Cells<'_> {
    fn value(&self, index: usize) -> Result<Value<'_>, String> {
        self.0.get_ref(index).map(value).map_err(|error| error.to_string())
    }
}

const fn value(found: ValueRef<'_>) -> Value<'_> {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(bytes) => Value::Blob(bytes),
    }
}

/// The first row, if there is one.
pub(crate) fn fetch_one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    decode: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    match rows.next()? {
        None => Ok(None),
        Some(row) => Ok(Some(decode(&Cells(row))?)),
    }
}

/// All rows in the query's order; the query bounds their number.
pub(crate) fn fetch_all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut decode: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(&Cells(row))?);
    }
    Ok(found)
}

/// Whether the query has a row.
pub(crate) fn exists(connection: &Connection, sql: &str, params: impl Params) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(sql)?.exists(params)?)
}

/// A page size as SQL takes it.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
