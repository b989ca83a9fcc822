//! Letting the keys of a webhook go whose rule blocks no more: some with the change itself, the others in bounded steps.

use signalpost_core::id::WebhookId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::order::OrderKey;
use signalpost_store::StoreError;

use super::finish::DELETE_DUE;
use super::order::release;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, fetch_one, limit};
use crate::write::Write;
use signalpost_store::row::{BLOCKED_AT, Fields, Row};

pub(crate) const SELECT_BLOCKED: &str = "SELECT webhook, due_at, event, order_key FROM due
    WHERE webhook = ?1 AND due_at = ?2 ORDER BY event LIMIT ?3";
pub(crate) const INSERT: &str = "INSERT OR IGNORE INTO unblock (webhook) VALUES (?1)";
/// The webhook, and whether its rule has come to block again.
pub(crate) const SELECT: &str = "SELECT u.webhook, coalesce(h.ordered = 1 AND h.on_exhausted = 'block', 0)
    FROM unblock u LEFT JOIN webhook h ON h.id = u.webhook ORDER BY u.webhook LIMIT 1";
pub(crate) const DELETE: &str = "DELETE FROM unblock WHERE webhook = ?1";
pub(crate) const ANY: &str = "SELECT 1 FROM unblock LIMIT 1";

/// Lets up to [`UPKEEP_ROWS_MAX`] keys go, and notes the webhook when there may be more.
pub(crate) fn begin(write: &mut Write<'_>, webhook: WebhookId) -> Result<(), Failure> {
    if some(write, webhook)? == UPKEEP_ROWS_MAX {
        write.statement(INSERT)?.execute([webhook.raw()])?;
    }
    Ok(())
}

pub(crate) fn is_wanted(write: &Write<'_>) -> Result<bool, Failure> {
    exists(write.connection, ANY, [])
}

/// Lets further keys of one webhook go, as many at most.
pub(crate) fn step(write: &mut Write<'_>) -> Result<(), Failure> {
    let first = fetch_one(write.connection, SELECT, [], |row| {
        let mut fields = Fields::new(row, "unblock", 1);
        let webhook = WebhookId::from_raw(fields.id("webhook")?);
        Ok((webhook, fields.integer("blocks")? != 0))
    })?;
    let Some((webhook, blocks_again)) = first else { return Ok(()) };
    if blocks_again || some(write, webhook)? < UPKEEP_ROWS_MAX {
        write.statement(DELETE)?.execute([webhook.raw()])?;
    }
    Ok(())
}

/// By their events; says how many.
fn some(write: &mut Write<'_>, webhook: WebhookId) -> Result<usize, Failure> {
    let blocked = |row: &Row<'_>| -> Result<(i64, OrderKey), StoreError> {
        let mut fields = Fields::new(row, "due", 3);
        fields.skip();
        fields.skip();
        Ok((fields.integer("event")?, OrderKey::from_raw(fields.integer("order_key")?)))
    };
    let key = [webhook.raw(), BLOCKED_AT, limit(UPKEEP_ROWS_MAX)];
    let found = fetch_all(write.connection, SELECT_BLOCKED, key, blocked)?;
    for (event, key) in &found {
        write.statement(DELETE_DUE)?.execute([webhook.raw(), BLOCKED_AT, *event])?;
        release(write, webhook, *key)?;
    }
    Ok(found.len())
}
