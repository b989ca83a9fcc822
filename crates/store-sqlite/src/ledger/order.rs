//! Order by key: of the deliveries of one key to one webhook the first is owed, and the others are held behind it.
//!
//! What is held, and what was given up and blocks its key, stays in `due` at a time that never comes: behind everything that
//! pages of a lane read, and within reach of whatever removes rows. A cut ends exactly what has a sequence up to it, whatever
//! was sent once more: a delivery keeps its place only if it was not ended before, and then its new birth is older than any
//! later cut.

use rusqlite::{OptionalExtension, params};
use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};

use crate::failure::Failure;
use crate::fetch::{exists, fetch_one};
use crate::write::Write;
use signalpost_store::row::{self, DueAt, HELD_AT, KeptPlace, Row};

pub(crate) const INSERT: &str = "INSERT OR REPLACE INTO due
    (webhook, due_at, event, born, steps, tries, order_key, order_sequence, due_then)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
pub(crate) const HAS_KEY: &str = "SELECT 1 FROM due WHERE webhook = ?1 AND order_key = ?2
    AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1) LIMIT 1";
pub(crate) const SELECT_FIRST: &str =
    "SELECT webhook, due_at, event, born, steps, tries, order_sequence, due_then
    FROM due WHERE webhook = ?1 AND order_key = ?2
        AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1)
    ORDER BY order_sequence LIMIT 1";
pub(crate) const SELECT_PLACE: &str = "SELECT webhook, due_at, event, order_key, order_sequence FROM due
    WHERE webhook = ?1 AND due_at = ?2 AND event = ?3
        AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1)";
pub(crate) const UPDATE_RELEASED: &str = "UPDATE due SET due_at = due_then, due_then = NULL
    WHERE webhook = ?1 AND due_at = ?2 AND event = ?3";
/// Whether what is given up at a place blocks its key.
pub(crate) const BLOCKS: &str =
    "SELECT 1 FROM webhook WHERE id = ?1 AND ordered = 1 AND on_exhausted = 'block'
    AND ?2 > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1)";

/// Owes a new event to a webhook that keeps an order: at once when it is the first of its key, else when it comes to be.
pub(super) fn owe(
    write: &mut Write<'_>,
    event: &Event,
    webhook: WebhookId,
    key: OrderKey,
) -> Result<(), Failure> {
    let order = Some(OrderPlace { key, sequence: event.sequence });
    let id = DeliveryId { event: event.id, webhook };
    let due = Due { id, due_at: event.accepted_at, born: event.sequence, steps: 0, tries: 0, order };
    if exists(write.connection, HAS_KEY, [webhook.raw(), key.raw()])? {
        return insert(write, &due, DueAt::Held { then: due.due_at });
    }
    insert(write, &due, DueAt::Then(due.due_at))?;
    write.news.released.push(due);
    Ok(())
}

/// The row of a delivery that has a place in an order.
pub(super) fn insert(write: &Write<'_>, due: &Due, at: DueAt) -> Result<(), Failure> {
    let (due_at, then) = at.columns();
    write.statement(INSERT)?.execute(params![
        due.id.webhook.raw(),
        due_at,
        due.id.event.raw(),
        due.born.0,
        due.steps,
        due.tries,
        due.order.map(|place| place.key.raw()),
        due.order.map(|place| place.sequence.0),
        then,
    ])?;
    Ok(())
}

/// A delivery was given up whose row is gone: it blocks its key, or lets the next one go.
pub(super) fn give_up(write: &mut Write<'_>, due: &Due, order: OrderPlace) -> Result<(), Failure> {
    let webhook = due.id.webhook;
    if exists(write.connection, BLOCKS, [webhook.raw(), order.sequence.0])? {
        return insert(write, due, DueAt::Blocked);
    }
    release(write, webhook, order.key)
}

/// Something of a key is gone: what was held behind it and is the first now is owed.
pub(crate) fn release(write: &mut Write<'_>, webhook: WebhookId, key: OrderKey) -> Result<(), Failure> {
    let read = |row: &Row<'_>| row::first_held(row, key);
    let Some(due) = fetch_one(write.connection, SELECT_FIRST, [webhook.raw(), key.raw()], read)?.flatten()
    else {
        return Ok(());
    };
    write.statement(UPDATE_RELEASED)?.execute([webhook.raw(), HELD_AT, due.id.event.raw()])?;
    write.news.released.push(due);
    Ok(())
}

/// The place of a delivery in this state that no cut has ended, if it is pending or blocks its key.
pub(super) fn kept(
    write: &Write<'_>,
    id: DeliveryId,
    state: DeliveryState,
) -> Result<Option<KeptPlace>, Failure> {
    let Some(places) = KeptPlace::looked_for_at(state) else { return Ok(None) };
    let mut select = write.statement(SELECT_PLACE)?;
    for due_at in places {
        let key = [id.webhook.raw(), due_at, id.event.raw()];
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(3)?, row.get(4)?));
        if let Some((key, sequence)) = select.query_row(key, read).optional()? {
            let order = OrderPlace { key: OrderKey::from_raw(key), sequence: Sequence(sequence) };
            return Ok(Some(KeptPlace { due_at, order }));
        }
    }
    Ok(None)
}
