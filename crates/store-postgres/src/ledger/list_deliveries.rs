//! `list_deliveries`: newest event first, then by webhook descending; each state is derived from its history.

use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_store::ledger::{DeliveryPage, ListDeliveries};
use signalpost_store::pages::DeliveryChoice;
use signalpost_store::row::Brief;

use super::history;
use super::newest_first::{self, Page, Scope};
use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;

/// Events that are looked at in one query.
const LOOK_ROWS: usize = 128;

pub(super) async fn run(session: &Session, params: &ListDeliveries) -> Result<DeliveryPage, Failure> {
    let mut page = DeliveryChoice::of(params);
    if !find::workspace_lives(session, params.workspace).await? {
        return Ok(page.finish());
    }
    if let Some(event) = params.event {
        let event = newest_first::one(session, params.workspace, event).await?;
        add_events(session, params, &mut page, &event.into_iter().collect::<Vec<_>>()).await?;
        return Ok(page.finish());
    }
    let scope = Scope { workspace: params.workspace, webhook: params.webhook };
    let mut newest = params.before.map_or(i64::MAX, |before| before.event.raw());
    // One more than is wanted shows whether there is a next page, and one may be the cursor's own.
    let rows =
        if params.status.is_none() { params.limit.saturating_add(2).min(LOOK_ROWS) } else { LOOK_ROWS };
    loop {
        let Page { events, next } = newest_first::page(session, scope, newest, rows).await?;
        let is_full = add_events(session, params, &mut page, &events).await?;
        match next {
            Some(next) if !is_full => newest = next,
            _ => return Ok(page.finish()),
        }
    }
}

/// Takes those of the events' deliveries that are wanted; whether the page ends with them.
async fn add_events(
    session: &Session,
    params: &ListDeliveries,
    page: &mut DeliveryChoice<'_>,
    events: &[Brief],
) -> Result<bool, Failure> {
    let wanted: Vec<(&Brief, WebhookId)> =
        events.iter().flat_map(|event| wanted(params, event)).take(page.left()).collect();
    for summaries in wanted.chunks(LOOK_ROWS.max(params.limit.saturating_add(1))) {
        for summary in history::summaries(session, summaries).await? {
            if page.is_full_with(summary) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// By webhook descending.
fn wanted<'e>(params: &ListDeliveries, event: &'e Brief) -> Vec<(&'e Brief, WebhookId)> {
    let mut targets = event.targets.clone();
    targets.sort_unstable();
    let is_wanted = |webhook: &WebhookId| params.wants(DeliveryId { event: event.id, webhook: *webhook });
    targets.into_iter().rev().filter(is_wanted).map(|webhook| (event, webhook)).collect()
}
