//! What is owed.

use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};

use super::{Field, Fields, Row};

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
