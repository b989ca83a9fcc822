//! `list_events`: newest first. Filters look at the small columns; only what passes is read whole.

use std::ops::ControlFlow;
use std::sync::Arc;

use rusqlite::Connection;
use signalpost_core::event::Event;
use signalpost_core::id::EventId;
use signalpost_core::limits::LIST_SCAN_ROWS_MAX;
use signalpost_store::ledger::{EventPage, ListEvents};

use super::events_by_id;
use super::newest_first::{Scope, walk};
use crate::catalog::find;
use crate::failure::Failure;
use signalpost_store::row::Brief;

pub(super) fn run(connection: &Connection, params: &ListEvents) -> Result<EventPage, Failure> {
    if !find::workspace_lives(connection, params.workspace)? {
        return Ok(EventPage { rows: Vec::new(), next: None });
    }
    let scope = Scope { workspace: params.workspace, webhook: None };
    let newest = params.before.map_or(i64::MAX, |before| before.raw().saturating_sub(1));
    let (mut passing, mut next, mut scanned) = (Vec::new(), None, 0);
    walk(connection, scope, newest, &mut |event| {
        scanned += 1;
        if passes(params, &event) {
            if passing.len() == params.limit {
                next = passing.last().copied();
                return Ok(ControlFlow::Break(()));
            }
            passing.push(event.id);
        }
        if scanned == LIST_SCAN_ROWS_MAX {
            next = Some(event.id);
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let rows: Vec<Arc<Event>> = events_by_id::run(connection, &passing)?;
    let next: Option<EventId> = next;
    Ok(EventPage { rows, next })
}

fn passes(params: &ListEvents, event: &Brief) -> bool {
    params.event_type.as_ref().is_none_or(|wanted| event.event_type == *wanted)
        && (params.subject.is_none() || event.subject == params.subject)
}
