//! `events_by_id`: whole events, in the order asked for.

use std::sync::Arc;

use rusqlite::Connection;
use signalpost_core::event::Event;
use signalpost_core::id::EventId;

use crate::failure::Failure;
use crate::fetch::Cells;
use signalpost_store::row;
use signalpost_store::row::event_columns;

pub(crate) const SELECT: &str = concat!("SELECT ", event_columns!(), " FROM message m WHERE m.id = ?1");

pub(super) fn run(connection: &Connection, ids: &[EventId]) -> Result<Vec<Arc<Event>>, Failure> {
    let mut select = connection.prepare_cached(SELECT)?;
    let mut events = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = select.query([id.raw()])?;
        if let Some(row) = rows.next()? {
            events.push(Arc::new(row::event(&Cells(row))?));
        }
    }
    Ok(events)
}
