//! `events_by_id`: whole events, in the order asked for.

use std::sync::Arc;

use signalpost_core::event::Event;
use signalpost_core::id::EventId;
use signalpost_store::row;
use signalpost_store::row::event_columns;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM unnest($1::bigint[]) WITH ORDINALITY AS k (id, place)
    CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = k.id OFFSET 0) AS m ORDER BY k.place"
);

pub(super) async fn run(session: &Session, ids: &[EventId]) -> Result<Vec<Arc<Event>>, Failure> {
    let ids: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    session.all(SELECT, &[&ids], |row| row::event(row).map(Arc::new)).await
}
