//! `due_page`: what one webhook is owed, in order.

use rusqlite::Connection;
use signalpost_core::delivery::Due;
use signalpost_store::ledger::{DueOrder, DuePage};

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row::{self, HELD_AT};

/// What is held, or blocks its key, stands at the end. What a cut has ended is left out; a webhook that was never cut has nothing below its first sequence.
pub(crate) const SELECT: &str =
    "SELECT webhook, due_at, event, born, steps, tries, order_key, order_sequence FROM due
    WHERE webhook = ?1 AND due_at < ?3 AND due_at >= ?4
        AND born > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -9223372036854775808)
    ORDER BY due_at, event LIMIT ?2";
pub(crate) const SELECT_NEWEST: &str =
    "SELECT webhook, due_at, event, born, steps, tries, order_key, order_sequence FROM due
    WHERE webhook = ?1 AND due_at < ?3 AND due_at <= ?4
        AND born > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -9223372036854775808)
    ORDER BY due_at DESC, event DESC LIMIT ?2";

pub(super) fn run(connection: &Connection, params: DuePage) -> Result<Vec<Due>, Failure> {
    let (webhook, rows) = (params.webhook.raw(), limit(params.limit));
    match params.order {
        DueOrder::OldestFirst { from } => {
            fetch_all(connection, SELECT, [webhook, rows, HELD_AT, from.as_ms()], row::due)
        }
        DueOrder::NewestFirst { until } => {
            fetch_all(connection, SELECT_NEWEST, [webhook, rows, HELD_AT, until.as_ms()], row::due)
        }
    }
}
