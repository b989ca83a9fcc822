//! `unattempted`: deliveries that are owed as they were accepted, with their events.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId};
use signalpost_store::row;

use super::events_by_id;
use crate::failure::Failure;
use crate::fetch::fetch_one;

pub(crate) const SELECT: &str =
    "SELECT webhook, due_at, event, born, steps, tries, order_key, order_sequence FROM due
    WHERE webhook = ?1 AND due_at = ?2 AND event = ?3
        AND born > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -9223372036854775808)";

pub(super) fn run(
    connection: &Connection,
    deliveries: &[DeliveryId],
) -> Result<Vec<(Due, Arc<Event>)>, Failure> {
    let mut ids: Vec<EventId> = deliveries.iter().map(|delivery| delivery.event).collect();
    ids.sort_unstable();
    ids.dedup();
    let events = events_by_id::run(connection, &ids)?;
    let events: HashMap<EventId, Arc<Event>> = events.into_iter().map(|event| (event.id, event)).collect();
    let mut found = Vec::new();
    for delivery in deliveries {
        let Some(event) = events.get(&delivery.event) else { continue };
        let key = [delivery.webhook.raw(), event.accepted_at.as_ms(), event.id.raw()];
        let due = fetch_one(connection, SELECT, key, row::due)?;
        found.extend(due.filter(|due| due.is_as_accepted(event)).map(|due| (due, Arc::clone(event))));
    }
    Ok(found)
}
