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
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};

use super::owed::DueRows;
use crate::failure::Failure;
use crate::session::Session;
use crate::write::Write;

/// `due_at` of what is held. No time that is meant comes near.
pub(crate) const HELD: i64 = i64::MAX - 1;
/// `due_at` of what was given up and blocks its key.
pub(crate) const BLOCKED: i64 = i64::MAX;

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

/// When a row is due.
#[derive(Clone, Copy)]
pub(crate) enum At {
    Then(Timestamp),
    /// Not before it is the first of its key.
    Held {
        then: Timestamp,
    },
    /// Never: it was given up.
    Blocked,
}

impl At {
    /// `due_at` and `due_then`.
    pub(super) const fn columns(self) -> (i64, Option<i64>) {
        match self {
            Self::Then(due_at) => (due_at.as_ms(), None),
            Self::Held { then } => (HELD, Some(then.as_ms())),
            Self::Blocked => (BLOCKED, None),
        }
    }
}

/// The place that a delivery keeps when it is sent once more, and where its row is.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub(super) due_at: i64,
    pub(super) order: OrderPlace,
}

impl Kept {
    pub(super) const fn is_held(&self) -> bool {
        self.due_at == HELD
    }
}

/// One row, in place of what a cut has ended and no sweep has removed yet.
pub(super) async fn insert(session: &Session, due: &Due, at: At) -> Result<(), Failure> {
    let mut rows = DueRows::default();
    rows.push(due, at);
    rows.insert(session).await
}

/// A delivery was given up whose row is gone: it blocks its key, or lets the next one go.
pub(super) async fn give_up(write: &mut Write<'_>, due: &Due, order: OrderPlace) -> Result<(), Failure> {
    let webhook = due.id.webhook;
    if write.exists(BLOCKS, &[&webhook.raw(), &order.sequence.0]).await? {
        return insert(write, due, At::Blocked).await;
    }
    release(write, webhook, order.key).await
}

/// Something of a key is gone: what was held behind it and is the first now is owed.
pub(crate) async fn release(write: &mut Write<'_>, webhook: WebhookId, key: OrderKey) -> Result<(), Failure> {
    let found = write.one(SELECT_FIRST, &[&webhook.raw(), &key.raw()], |row| first(row, key)).await?;
    let Some(due) = found.flatten() else { return Ok(()) };
    write.execute(UPDATE_RELEASED, &[&webhook.raw(), &HELD, &due.id.event.raw()]).await?;
    write.news.released.push(due);
    Ok(())
}

/// The first of a key as it will be owed; `None` when it is not held.
fn first(row: &Row<'_>, key: OrderKey) -> Result<Option<Due>, StoreError> {
    let mut fields = Fields::new(row, "due", 3);
    let webhook = WebhookId::from_raw(fields.id("webhook")?);
    if fields.integer("due_at")? != HELD {
        return Ok(None);
    }
    let event = EventId::from_raw(fields.id("event")?);
    let (born, steps) = (Sequence(fields.integer("born")?), fields.count("steps")?);
    let tries = fields.count("tries")?;
    let order = Some(OrderPlace { key, sequence: Sequence(fields.integer("order_sequence")?) });
    let due_at = fields.time("due_then")?;
    Ok(Some(Due { id: DeliveryId { event, webhook }, due_at, born, steps, tries, order }))
}

/// The place of a delivery in this state that no cut has ended, if it is pending or blocks its key.
pub(super) async fn kept(
    session: &Session,
    id: DeliveryId,
    state: DeliveryState,
) -> Result<Option<Kept>, Failure> {
    let places = match state {
        DeliveryState::Pending { next_at } => [next_at.as_ms(), HELD],
        DeliveryState::Failed { .. } => [BLOCKED, BLOCKED],
        DeliveryState::Delivered { .. } | DeliveryState::Dropped { .. } => return Ok(None),
    };
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
            return Ok(Some(Kept { due_at, order }));
        }
    }
    Ok(None)
}
