//! `GET /v1/workspaces/{workspace}/events`: what was published.

use axum::extract::State;
use http::{StatusCode, Uri};
use signalpost_core::error::FieldErrors;
use signalpost_core::id::EventId;
use signalpost_core::limits::PAGE_DATA_BYTES_MAX;
use signalpost_engine::{EventPage, ListEvents};

use super::{Shared, convert};
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "events";

pub(super) async fn list(State(surface): Shared, Ids([workspace]): Ids<1>, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let event_type = query.take("type");
    let subject = query.take("subject");
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let view = surface.engine.workspace(&workspace).await?;
    let workspace = view.workspace.id;
    let before = position.map(|[id]| EventId::from_raw(id));
    let mut found =
        surface.engine.list_events(ListEvents { workspace, event_type, subject, before, limit }).await?;
    bound_bytes(&mut found);
    let data: Result<Vec<_>, _> =
        found.rows.iter().map(|event| convert::event(event, view.profile.event_id)).collect();
    let next_cursor = found.next.map(|next| cursor::encode(LIST, &[next.raw()]));
    reply::json(StatusCode::OK, &Page { data: data?, next_cursor })
}

pub(super) async fn get(State(surface): Shared, Ids([workspace, event]): Ids<2>) -> Answer {
    let view = surface.engine.workspace(&workspace).await?;
    let event = surface.engine.event(view.workspace.id, &event).await?;
    reply::json(StatusCode::OK, &convert::event(&event, view.profile.event_id)?)
}

/// Ends a page early when its events are large, so that the answer stays bounded.
fn bound_bytes(page: &mut EventPage) {
    let mut bytes = 0usize;
    let fitting = page.rows.iter().take_while(|event| {
        bytes += event.content.data.len();
        bytes <= PAGE_DATA_BYTES_MAX
    });
    let fitting = fitting.count().max(1);
    if fitting < page.rows.len() {
        page.rows.truncate(fitting);
        page.next = page.rows.last().map(|last| last.id);
    }
}
