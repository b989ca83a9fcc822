//! `unattempted`: deliveries that are owed as they were accepted, with their events.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId};
use signalpost_store::row::{self, HELD_AT};

use super::events_by_id;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    "SELECT d.webhook, d.due_at, d.event, d.born, d.steps, d.tries, d.order_key, d.order_sequence
    FROM unnest($1::bigint[], $2::bigint[]) AS k (webhook, event) CROSS JOIN LATERAL (
        SELECT * FROM due d
        WHERE d.webhook = k.webhook AND d.event = k.event AND d.steps = 0 AND d.due_at < $3
            AND d.born > coalesce((SELECT max(upto) FROM cut WHERE webhook = k.webhook), -9223372036854775808)
        OFFSET 0) AS d";

/// In one round trip. An event that many webhooks are to have is read once.
pub(super) async fn run(
    session: &Session,
    deliveries: &[DeliveryId],
) -> Result<Vec<(Due, Arc<Event>)>, Failure> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let (webhooks, events): (Vec<i64>, Vec<i64>) =
        deliveries.iter().map(|delivery| (delivery.webhook.raw(), delivery.event.raw())).unzip();
    let mut ids: Vec<EventId> = deliveries.iter().map(|delivery| delivery.event).collect();
    ids.sort_unstable();
    ids.dedup();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&webhooks, &events, &HELD_AT];
    let owed = session.all(SELECT, &params, row::due);
    let (owed, events) = try_join(owed, events_by_id::run(session, &ids)).await?;
    let events: HashMap<EventId, Arc<Event>> = events.into_iter().map(|event| (event.id, event)).collect();
    let with_event = owed.into_iter().filter_map(|due| Some((due, Arc::clone(events.get(&due.id.event)?))));
    Ok(with_event.filter(|(due, event)| due.is_as_accepted(event)).collect())
}
