//! Deliveries that were dropped before their first attempt. Here a listing index names them beside all others; PostgreSQL
//! keeps them in a table of their own, for it finds deliveries of a webhook by their attempts and by what is owed.

use rusqlite::{Connection, params};
use signalpost_store::row::{Fields, targets};
use signalpost_store::transfer::{Cell, Key, Page, Record, TransferError};

use super::failed;
use crate::fetch::{Cells, limit};
use signalpost_store::row::{BLOCKED_AT, HELD_AT};

/// In the target, with the columns event and webhook.
pub(super) const TABLE: &str = "dropped";

const SELECT_PAGE: &str = "SELECT id, targets, accepted_at FROM message WHERE id >= ?1 ORDER BY id LIMIT ?2";
const SELECT_ALL: &str = "SELECT id, targets, accepted_at FROM message";
/// A first attempt is due when the event is accepted, or held behind others of its key.
const IS_TRIED_OR_OWED: &str = "SELECT EXISTS (SELECT 1 FROM attempt WHERE event = ?1 AND webhook = ?2)
    OR EXISTS (SELECT 1 FROM due WHERE webhook = ?2 AND due_at IN (?3, ?4, ?5) AND event = ?1)";

/// An event and whom it was for.
struct Sent {
    event: i64,
    webhooks: Vec<i64>,
    accepted_at: i64,
}

/// Those of as many events as rows are wanted, behind a key.
pub(super) fn page(
    connection: &Connection,
    after: Option<&Key>,
    wanted: usize,
) -> Result<Page, TransferError> {
    let (event, webhook) = after.map_or((i64::MIN, i64::MIN), place);
    let mut page = Page { rows: Vec::new(), next: None };
    let mut statement = connection.prepare_cached(SELECT_PAGE).map_err(failed)?;
    let mut rows = statement.query(params![event, limit(wanted)]).map_err(failed)?;
    let mut looked_at = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let sent = sent(&Cells(row))?;
        let untried = of_event(connection, &sent)?;
        page.rows.extend(untried.into_iter().filter(|row| place_of(row) > (event, webhook)));
        looked_at += 1;
        if looked_at == wanted || page.rows.len() >= wanted {
            page.next = Some(Key(record(sent.event, i64::MAX)));
            break;
        }
    }
    Ok(page)
}

/// All there are.
pub(super) fn each(connection: &Connection, take: &mut dyn FnMut(&[Cell])) -> Result<(), TransferError> {
    let mut statement = connection.prepare_cached(SELECT_ALL).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        of_event(connection, &sent(&Cells(row))?)?.iter().for_each(|row| take(row));
    }
    Ok(())
}

fn sent(row: &Cells<'_>) -> Result<Sent, TransferError> {
    let mut fields = Fields::new(row, "message", 1);
    let mut read = || {
        let event = fields.integer("id")?;
        let webhooks = targets(&mut fields)?.into_iter().map(|webhook| webhook.raw()).collect();
        Ok(Sent { event, webhooks, accepted_at: fields.integer("accepted_at")? })
    };
    read().map_err(|error: signalpost_store::StoreError| TransferError::Source(error.to_string()))
}

fn of_event(connection: &Connection, sent: &Sent) -> Result<Vec<Record>, TransferError> {
    let mut statement = connection.prepare_cached(IS_TRIED_OR_OWED).map_err(failed)?;
    let mut webhooks = sent.webhooks.clone();
    webhooks.sort_unstable();
    webhooks.dedup();
    let mut untried = Vec::new();
    for webhook in webhooks {
        let values = params![sent.event, webhook, sent.accepted_at, HELD_AT, BLOCKED_AT];
        if !statement.query_row(values, |row| row.get::<_, bool>(0)).map_err(failed)? {
            untried.push(record(sent.event, webhook));
        }
    }
    Ok(untried)
}

fn record(event: i64, webhook: i64) -> Record {
    vec![Cell::Integer(event), Cell::Integer(webhook)]
}

fn place(key: &Key) -> (i64, i64) {
    place_of(&key.0)
}

fn place_of(row: &[Cell]) -> (i64, i64) {
    match row {
        [Cell::Integer(event), Cell::Integer(webhook)] => (*event, *webhook),
        _ => (i64::MIN, i64::MIN),
    }
}
