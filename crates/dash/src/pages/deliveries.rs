//! The deliveries of a workspace, newest first: what support people look at most.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::DeliveryId;
use signalpost_core::time::Timestamp;
use signalpost_engine::{DeliverySummary, Engine, ListDeliveries, View};

use crate::look::frame::page;
use crate::look::numbers::count;
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::look::{id, pill};
use crate::paths;
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;

/// The filter: it lives in the address, so that it can be passed on.
#[derive(Clone, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    status: String,
    #[serde(default)]
    webhook: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    before: String,
}

pub(crate) async fn show(visit: Visit, Path(workspace): Path<String>, Query(asked): Query<Asked>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let wanted = wanted(engine, &view, &asked).await?;
    let is_first = wanted.before.is_none();
    let found = engine.list_deliveries(wanted).await?;
    let own = visit.paths.deliveries(&workspace);
    let at = |before: Option<&str>| {
        let Asked { status, webhook, event, .. } = &asked;
        let filter = [("status", status), ("webhook", webhook), ("event", event)];
        let filter = filter.map(|(name, value)| (name, Some(value.as_str())));
        paths::with_query(&own, &[filter.as_slice(), &[("before", before)]].concat())
    };
    let first = (!is_first).then(|| at(None));
    let next = found.next.map(|next| at(Some(&next.to_public())));
    let content = html! {
        h1 { "Deliveries" }
        (filter(&own, &asked))
        div #live data-live=[is_first.then_some("off")] { @if found.rows.is_empty() {
            p.empty {
                @if next.is_some() { "None in the part that was looked through; go on with older ones." }
                @else { "No delivery fits. An event that no webhook wanted has none: look at the event, which says why." }
            }
        } @else {
            (table(&visit, &view, &found.rows))
        } }
        (pager(first.as_deref(), next.as_deref()))
    };
    Ok(page(&visit, "Deliveries", &visit.paths.to_workspace(&view), &content))
}

async fn wanted(engine: &Engine, view: &View, asked: &Asked) -> Result<ListDeliveries, Error> {
    let workspace = view.workspace.id;
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let status = match given(&asked.status) {
        Some(name) => {
            let unknown = || Error::field("status", "must be pending, delivered, failed or dropped");
            Some(DeliveryStatus::from_name(&name).ok_or_else(unknown)?)
        }
        None => None,
    };
    let webhook = match given(&asked.webhook) {
        Some(id) => Some(named("webhook", engine.webhook(workspace, &id).await)?.id),
        None => None,
    };
    let event = match given(&asked.event) {
        Some(id) => Some(named("event", engine.event(workspace, &id).await)?.id),
        None => None,
    };
    let wrong = || Error::field("before", "must be the id of a delivery");
    let before = given(&asked.before).map(|id| DeliveryId::from_public(&id).ok_or_else(wrong)).transpose()?;
    Ok(ListDeliveries { workspace, webhook, event, status, before, limit: ROWS })
}

/// A filter that names nothing is a slip of the pen; an empty list would hide it.
fn named<T>(parameter: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|error| match error.code {
        ErrorCode::NotFound => Error::field(parameter, format!("names no {parameter} of this workspace")),
        _ => error,
    })
}

fn filter(own: &str, asked: &Asked) -> Markup {
    html! {
        form.line action=(own) {
            label { "Status "
                select name="status" {
                    option value="" { "any" }
                    @for status in DeliveryStatus::ALL {
                        option value=(status.name()) selected[status.name() == asked.status] { (status.name()) }
                    }
                }
            }
            label { "Webhook " input name="webhook" value=(asked.webhook) spellcheck="false" autocomplete="off"; }
            label { "Event " input name="event" value=(asked.event) spellcheck="false" autocomplete="off"; }
            button.quiet { "Filter" }
        }
    }
}

pub(super) fn table(visit: &Visit, view: &View, rows: &[DeliverySummary]) -> Markup {
    let workspace = &view.workspace.public_id;
    html! {
        div.wide { table.rows {
            thead { tr {
                th scope="col" { "State" } th scope="col" { "Event" } th scope="col" { "Webhook" } th.number scope="col" { "Attempts" }
                th scope="col" { "Last answer" } th scope="col" { "Made" } th scope="col" { "Next attempt" } th scope="col" { "Delivery" }
            } }
            tbody {
                @for row in rows {
                    @let public_id = row.id.to_public();
                    tr {
                        td { (pill::of_delivery(&row.state, row.attempts)) }
                        td { a href=(visit.paths.event(workspace, &row.id.event.to_public())) { (row.event_type) } }
                        td { (id::link(&visit.paths.webhook(workspace, &row.webhook), &row.webhook)) }
                        td.number { (count(row.attempts)) }
                        td { @if let Some(outcome) = &row.last_outcome { (pill::of_outcome(outcome)) } @else { "–" } }
                        td { (moment(row.created_at, visit.now)) }
                        td { (next(&visit.now, row)) }
                        td { (id::link(&visit.paths.delivery(&public_id), &public_id)) }
                    }
                }
            }
        } }
    }
}

fn next(now: &Timestamp, row: &DeliverySummary) -> Markup {
    use signalpost_core::delivery::DeliveryState::Pending;
    match row.state {
        Pending { next_at } => moment(next_at, *now),
        _ => html! { "–" },
    }
}
