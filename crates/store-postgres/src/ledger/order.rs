//! Order by key: of the deliveries of one key to one webhook the first is owed, and the others are held behind it.
//!
//! What is held, and what was given up and blocks its key, stays in `due` at a time that never comes: behind everything that
//! pages of a lane read, and within reach of whatever removes rows. A cut ends exactly what has a sequence up to it, whatever
//! was sent once more: a delivery keeps its place only if it was not ended before, and then its new birth is older than any
//! later cut.
//!
//! Whoever adds to an order or takes from it holds [`crate::locks::Locked::Order`] to the commit: what one transaction
//! releases and what another holds must see each other.

use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};
use signalpost_store::row::{self, DueAt, Fields, HELD_AT, KeptPlace};

use super::owed::DueRows;
use crate::failure::Failure;
use crate::session::Session;
use crate::write::Write;

/// Those of these webhooks and keys of which something is owed, held or blocks.
pub(crate) const HAVE_KEY: &str = "SELECT k.webhook, k.order_key
    FROM unnest($1::bigint[], $2::bigint[]) AS k (webhook, order_key) CROSS JOIN LATERAL (
        SELECT 1 FROM due d WHERE d.webhook = k.webhook AND d.order_key = k.order_key
            AND d.order_sequence > coalesce((SELECT max(c.upto) FROM cut c WHERE c.webhook = k.webhook), -1)
        LIMIT 1) AS d";
pub(crate) const SELECT_FIRST: &str =
    "SELECT webhook, due_at, event, born, steps, tries, order_sequence, due_then
    FROM due WHERE webhook = $1 AND order_key = $2
        AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = $1), -1)
    ORDER BY order_sequence LIMIT 1";
pub(crate) const SELECT_PLACE: &str = "SELECT webhook, due_at, event, order_key, order_sequence FROM due
    WHERE webhook = $1 AND due_at = $2 AND event = $3 AND order_key IS NOT NULL
        AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = $1), -1)";
pub(crate) const UPDATE_RELEASED: &str = "UPDATE due SET due_at = due_then, due_then = NULL
    WHERE webhook = $1 AND due_at = $2 AND event = $3";
/// Whether what is given up at a place blocks its key.
pub(crate) const BLOCKS: &str =
    "SELECT 1 FROM webhook WHERE id = $1 AND ordered = 1 AND on_exhausted = 'block'
    AND $2 > coalesce((SELECT max(upto) FROM cut WHERE webhook = $1), -1)";

/// One row, in place of what a cut has ended and no sweep has removed yet.
pub(super) async fn insert(session: &Session, due: &Due, at: DueAt) -> Result<(), Failure> {
    let mut rows = DueRows::default();
    rows.push(due, at);
    rows.insert(session).await
}

/// A delivery was given up whose row is gone: it blocks its key, or lets the next one go.
pub(super) async fn give_up(write: &mut Write<'_>, due: &Due, order: OrderPlace) -> Result<(), Failure> {
    let webhook = due.id.webhook;
    if write.exists(BLOCKS, &[&webhook.raw(), &order.sequence.0]).await? {
        return insert(write, due, DueAt::Blocked).await;
    }
    release(write, webhook, order.key).await
}

/// Something of a key is gone: what was held behind it and is the first now is owed.
pub(crate) async fn release(write: &mut Write<'_>, webhook: WebhookId, key: OrderKey) -> Result<(), Failure> {
    let found =
        write.one(SELECT_FIRST, &[&webhook.raw(), &key.raw()], |row| row::first_held(row, key)).await?;
    let Some(due) = found.flatten() else { return Ok(()) };
    write.execute(UPDATE_RELEASED, &[&webhook.raw(), &HELD_AT, &due.id.event.raw()]).await?;
    write.news.released.push(due);
    Ok(())
}

/// The place of a delivery in this state that no cut has ended, if it is pending or blocks its key.
pub(super) async fn kept(
    session: &Session,
    id: DeliveryId,
    state: DeliveryState,
) -> Result<Option<KeptPlace>, Failure> {
    let Some(places) = KeptPlace::looked_for_at(state) else { return Ok(None) };
    for due_at in places {
        let order = session
            .one(SELECT_PLACE, &[&id.webhook.raw(), &due_at, &id.event.raw()], |row| {
                let mut fields = Fields::new(row, "due", 3);
                (0..3).for_each(|_| fields.skip());
                let key = OrderKey::from_raw(fields.integer("order_key")?);
                Ok(OrderPlace { key, sequence: Sequence(fields.integer("order_sequence")?) })
            })
            .await?;
        if let Some(order) = order {
            return Ok(Some(KeptPlace { due_at, order }));
        }
    }
    Ok(None)
}
