//! What is owed.

use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};
use signalpost_core::time::Timestamp;

use super::{Field, Fields, Row};

/// `due_at` of what is held. No time that is meant comes near.
pub const HELD_AT: i64 = i64::MAX - 1;
/// `due_at` of what was given up and blocks its key.
pub const BLOCKED_AT: i64 = i64::MAX;

/// When a row is due.
#[derive(Clone, Copy)]
pub enum DueAt {
    Then(Timestamp),
    /// Not before it is the first of its key.
    Held {
        then: Timestamp,
    },
    /// Never: it was given up.
    Blocked,
}

impl DueAt {
    /// `due_at` and `due_then`.
    pub const fn columns(self) -> (i64, Option<i64>) {
        match self {
            Self::Then(due_at) => (due_at.as_ms(), None),
            Self::Held { then } => (HELD_AT, Some(then.as_ms())),
            Self::Blocked => (BLOCKED_AT, None),
        }
    }
}

/// The place that a delivery keeps when it is sent once more, and where its row is.
#[derive(Clone, Copy)]
pub struct KeptPlace {
    pub due_at: i64,
    pub order: OrderPlace,
}

impl KeptPlace {
    /// `due_at` of the row that has the place of a delivery in this state, one or the other, if it may have one: it is
    /// pending or blocks its key.
    pub const fn looked_for_at(state: DeliveryState) -> Option<[i64; 2]> {
        match state {
            DeliveryState::Pending { next_at } => Some([next_at.as_ms(), HELD_AT]),
            DeliveryState::Failed { .. } => Some([BLOCKED_AT, BLOCKED_AT]),
            DeliveryState::Delivered { .. } | DeliveryState::Dropped { .. } => None,
        }
    }

    /// Whether an earlier delivery of its key is before it.
    pub const fn is_held(&self) -> bool {
        self.due_at == HELD_AT
    }
}

/// Columns of `due`: webhook, due_at, event, born, steps, tries, order_key, order_sequence.
pub fn due(row: &Row<'_>) -> Field<Due> {
    let mut fields = Fields::new(row, "due", 3);
    let webhook = WebhookId::from_raw(fields.id("webhook")?);
    let due_at = fields.time("due_at")?;
    let event = EventId::from_raw(fields.id("event")?);
    Ok(Due {
        id: DeliveryId { event, webhook },
        due_at,
        born: Sequence(fields.integer("born")?),
        steps: fields.count("steps")?,
        tries: fields.count("tries")?,
        order: place(&mut fields)?,
    })
}

/// Columns of `due`: webhook, due_at, event, born, steps, tries, order_sequence, due_then. The first of a key as it will be
/// owed; `None` when it is not held.
pub fn first_held(row: &Row<'_>, key: OrderKey) -> Field<Option<Due>> {
    let mut fields = Fields::new(row, "due", 3);
    let webhook = WebhookId::from_raw(fields.id("webhook")?);
    if fields.integer("due_at")? != HELD_AT {
        return Ok(None);
    }
    let event = EventId::from_raw(fields.id("event")?);
    let (born, steps) = (Sequence(fields.integer("born")?), fields.count("steps")?);
    let tries = fields.count("tries")?;
    let order = Some(OrderPlace { key, sequence: Sequence(fields.integer("order_sequence")?) });
    let due_at = fields.time("due_then")?;
    Ok(Some(Due { id: DeliveryId { event, webhook }, due_at, born, steps, tries, order }))
}

/// Two columns as a place in an order.
fn place(fields: &mut Fields<'_>) -> Field<Option<OrderPlace>> {
    let key = fields.optional_integer("order_key")?;
    let sequence = fields.optional_integer("order_sequence")?;
    match (key, sequence) {
        (None, None) => Ok(None),
        (Some(key), Some(sequence)) => {
            Ok(Some(OrderPlace { key: OrderKey::from_raw(key), sequence: Sequence(sequence) }))
        }
        _ => Err(fields.corrupt("order_sequence", "a key and a sequence must stand together".to_owned())),
    }
}
