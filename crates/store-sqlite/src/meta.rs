//! The single numbers that the store keeps about itself.

use rusqlite::{Connection, params};

use crate::failure::Failure;
use crate::write::IndexState;

pub(crate) const INDEXED: &str = "indexed";
pub(crate) const HIGHEST_DELETED_ID: &str = "highest_deleted_id";
pub(crate) const HIGHEST_REMOVED_EVENT: &str = "highest_removed_event";
pub(crate) const PROBED_AT: &str = "probed_at";
pub(crate) const KEPT_BYTES: &str = "kept_bytes";
pub(crate) const KEPT_BYTES_OUTSIDE: &str = "kept_bytes_outside";

const SELECT: &str = "SELECT value FROM meta WHERE name = ?1";
const UPDATE: &str = "UPDATE meta SET value = ?2 WHERE name = ?1";
const RAISE: &str = "UPDATE meta SET value = max(value, ?2) WHERE name = ?1";
const COUNT_UNINDEXED: &str = "SELECT count(*) FROM message WHERE id > ?1";
const COUNT_UNLISTED: &str = "SELECT count(*) FROM unlisted";
const COUNT_LEAVING: &str = "SELECT count(*) FROM leaving";
const SELECT_HIGHEST_ID: &str = "SELECT max(0,
    coalesce((SELECT max(id) FROM workspace), 0),
    coalesce((SELECT max(id) FROM webhook), 0),
    coalesce((SELECT max(id) FROM signing_key), 0),
    coalesce((SELECT max(id) FROM credential), 0),
    coalesce((SELECT max(id) FROM operator_key), 0),
    coalesce((SELECT max(id) FROM operator_account), 0),
    coalesce((SELECT max(id) FROM operator_session), 0),
    coalesce((SELECT max(id) FROM operator_act), 0),
    coalesce((SELECT max(id) FROM portal_session), 0),
    coalesce((SELECT max(id) FROM user), 0),
    coalesce((SELECT max(id) FROM user_right), 0),
    coalesce((SELECT max(id) FROM replay), 0),
    coalesce((SELECT max(id) FROM message), 0),
    (SELECT max(value) FROM meta WHERE name IN ('highest_deleted_id', 'highest_removed_event')))";

pub(crate) fn read(connection: &Connection, name: &'static str) -> Result<i64, Failure> {
    Ok(connection.prepare_cached(SELECT)?.query_row([name], |row| row.get(0))?)
}

pub(crate) fn write(connection: &Connection, name: &'static str, value: i64) -> Result<(), Failure> {
    connection.prepare_cached(UPDATE)?.execute(params![name, value])?;
    Ok(())
}

/// Writes a value unless a higher one stands there.
pub(crate) fn raise(connection: &Connection, name: &'static str, value: i64) -> Result<(), Failure> {
    connection.prepare_cached(RAISE)?.execute(params![name, value])?;
    Ok(())
}

pub(crate) fn read_index_state(connection: &Connection) -> Result<IndexState, Failure> {
    let mark = read(connection, INDEXED)?;
    let count: i64 = connection.prepare_cached(COUNT_UNINDEXED)?.query_row([mark], |row| row.get(0))?;
    Ok(IndexState { mark, unindexed: u64::try_from(count).unwrap_or(0) })
}

pub(crate) fn count_unlisted(connection: &Connection) -> Result<u64, Failure> {
    let count: i64 = connection.prepare_cached(COUNT_UNLISTED)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub(crate) fn count_leaving(connection: &Connection) -> Result<u64, Failure> {
    let count: i64 = connection.prepare_cached(COUNT_LEAVING)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The highest number among all ids that are or were stored.
pub(crate) fn read_highest_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(SELECT_HIGHEST_ID, [], |row| row.get(0))
}
