//! `storage`: what the whole store takes.

use std::sync::atomic::Ordering;

use rusqlite::Connection;
use signalpost_store::ledger::Storage;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::meta;
use crate::open::PAGE_BYTES;
use crate::retention::{FREE_COUNT, PAGE_COUNT};
use crate::writer::Board;
use signalpost_store::row::Fields;

pub(crate) const COUNT_EVENTS: &str = "SELECT coalesce(sum(events), 0) FROM head";
pub(crate) const SELECT_OLDEST: &str = "SELECT id, accepted_at FROM message ORDER BY id LIMIT 1";

pub(super) fn run(connection: &Connection, board: &Board) -> Result<Storage, Failure> {
    let number = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let oldest_event_at = fetch_one(connection, SELECT_OLDEST, [], |row| {
        let mut fields = Fields::new(row, "message", 1);
        fields.skip();
        fields.time("accepted_at")
    })?;
    let disk = &board.disk;
    Ok(Storage {
        database_bytes: unsigned(number(PAGE_COUNT)?) * PAGE_BYTES,
        free_bytes: unsigned(number(FREE_COUNT)?) * PAGE_BYTES,
        wal_bytes: disk.wal_bytes(),
        disk: disk.space(),
        events: unsigned(number(COUNT_EVENTS)?),
        oldest_event_at,
        room: disk.room(),
        answers_bytes: unsigned(meta::read(connection, meta::KEPT_BYTES)?),
        answers_forgotten: board.answers_forgotten.load(Ordering::Relaxed),
    })
}
