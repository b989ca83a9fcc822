//! `list_events`: newest first. Filters look at the small columns; only what passes is read whole.

use signalpost_store::ledger::{EventPage, ListEvents};
use signalpost_store::pages::EventChoice;

use super::events_by_id;
use super::newest_first::{self, Scope};
use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;

/// Events that are looked at in one query.
const LOOK_ROWS: usize = 256;

pub(super) async fn run(session: &Session, params: &ListEvents) -> Result<EventPage, Failure> {
    if !find::workspace_lives(session, params.workspace).await? {
        return Ok(EventPage { rows: Vec::new(), next: None });
    }
    let EventChoice { events, next, .. } = choose(session, params).await?;
    Ok(EventPage { rows: events_by_id::run(session, &events).await?, next })
}

async fn choose(session: &Session, params: &ListEvents) -> Result<EventChoice, Failure> {
    let scope = Scope { workspace: params.workspace, webhook: None };
    let mut newest = params.before.map_or(i64::MAX, |before| before.raw().saturating_sub(1));
    let mut chosen = EventChoice::default();
    // One more than is wanted shows whether there is a next page.
    let rows = if params.event_type.is_none() && params.subject.is_none() {
        params.limit.saturating_add(1).min(LOOK_ROWS)
    } else {
        LOOK_ROWS
    };
    loop {
        let page = newest_first::page(session, scope, newest, rows).await?;
        for event in &page.events {
            if chosen.is_full_with(params, event) {
                return Ok(chosen);
            }
        }
        match page.next {
            Some(next) => newest = next,
            None => return Ok(chosen),
        }
    }
}
