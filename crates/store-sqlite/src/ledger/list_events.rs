//! `list_events`: newest first. Filters look at the small columns; only what passes is read whole.

use std::ops::ControlFlow;

use rusqlite::Connection;
use signalpost_store::ledger::{EventPage, ListEvents};
use signalpost_store::pages::EventChoice;

use super::events_by_id;
use super::newest_first::{Scope, walk};
use crate::catalog::find;
use crate::failure::Failure;

pub(super) fn run(connection: &Connection, params: &ListEvents) -> Result<EventPage, Failure> {
    if !find::workspace_lives(connection, params.workspace)? {
        return Ok(EventPage { rows: Vec::new(), next: None });
    }
    let scope = Scope { workspace: params.workspace, webhook: None };
    let newest = params.before.map_or(i64::MAX, |before| before.raw().saturating_sub(1));
    let mut chosen = EventChoice::default();
    walk(connection, scope, newest, &mut |event| {
        let is_full = chosen.is_full_with(params, &event);
        Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(EventPage { rows: events_by_id::run(connection, &chosen.events)?, next: chosen.next })
}
