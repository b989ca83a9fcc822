//! Letting the keys of a webhook go whose rule blocks no more: some with the change itself, the others in bounded steps.

use signalpost_core::id::WebhookId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::order::OrderKey;
use signalpost_store::row::{BLOCKED_AT, Fields};

use super::order::release;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::{Session, limit};
use crate::write::Write;

pub(crate) const SELECT_BLOCKED: &str = "SELECT webhook, due_at, event, order_key FROM due
    WHERE webhook = $1 AND due_at = $2 ORDER BY event LIMIT $3";
pub(crate) const DELETE_BLOCKED: &str = "DELETE FROM due WHERE webhook = $1 AND due_at = $2 AND event = $3";
pub(crate) const INSERT: &str = "INSERT INTO unblock (webhook) VALUES ($1) ON CONFLICT DO NOTHING";
/// The webhook, unless it is moving, and whether its rule has come to block again.
pub(crate) const SELECT: &str =
    "SELECT u.webhook, coalesce(h.ordered = 1 AND h.on_exhausted = 'block', false)
    FROM unblock u LEFT JOIN webhook h ON h.id = u.webhook
    WHERE NOT EXISTS (SELECT 1 FROM moving_part v WHERE v.kind = 'webhook' AND v.id = u.webhook OFFSET 0)
    ORDER BY u.webhook LIMIT 1";
pub(crate) const DELETE: &str = "DELETE FROM unblock WHERE webhook = $1";

/// Lets up to [`UPKEEP_ROWS_MAX`] keys go, and notes the webhook when there may be more. Takes the lock of its order.
pub(crate) async fn begin(write: &mut Write<'_>, webhook: WebhookId) -> Result<(), Failure> {
    write.lock_all(&[Locked::Order(webhook)]).await?;
    if some(write, webhook).await? == UPKEEP_ROWS_MAX {
        write.execute(INSERT, &[&webhook.raw()]).await?;
    }
    Ok(())
}

/// The first webhook of which keys may be let go.
pub(super) async fn first(session: &Session) -> Result<Option<(WebhookId, bool)>, Failure> {
    let found = session
        .one(SELECT, &[], |row| {
            let mut fields = Fields::new(row, "unblock", 1);
            let webhook = WebhookId::from_raw(fields.id("webhook")?);
            Ok((webhook, fields.integer("blocks")? != 0))
        })
        .await?;
    Ok(found)
}

/// Lets further keys of one webhook go, as many at most; `false` when there is none.
pub(super) async fn step(write: &mut Write<'_>) -> Result<bool, Failure> {
    let Some((webhook, _)) = first(write).await? else { return Ok(false) };
    write.lock_all(&[Locked::Order(webhook)]).await?;
    // Somebody may have been faster, or have changed the rule.
    let Some((webhook, blocks_again)) = first(write).await?.filter(|(again, _)| *again == webhook) else {
        return Ok(true);
    };
    if blocks_again || some(write, webhook).await? < UPKEEP_ROWS_MAX {
        write.execute(DELETE, &[&webhook.raw()]).await?;
    }
    Ok(true)
}

/// By their events; says how many.
async fn some(write: &mut Write<'_>, webhook: WebhookId) -> Result<usize, Failure> {
    let found = write
        .all(SELECT_BLOCKED, &[&webhook.raw(), &BLOCKED_AT, &limit(UPKEEP_ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "due", 3);
            fields.skip();
            fields.skip();
            Ok((fields.integer("event")?, OrderKey::from_raw(fields.integer("order_key")?)))
        })
        .await?;
    for (event, key) in &found {
        write.execute(DELETE_BLOCKED, &[&webhook.raw(), &BLOCKED_AT, event]).await?;
        release(write, webhook, *key).await?;
    }
    Ok(found.len())
}
