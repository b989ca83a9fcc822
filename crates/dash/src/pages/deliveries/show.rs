//! The list, newest first.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use signalpost_core::delivery::DeliveryState;
use signalpost_core::error::ErrorCode;
use signalpost_core::time::Timestamp;
use signalpost_engine::{DeliverySummary, View};

use super::filter::Asked;
use super::form::form;
use crate::look::frame::page_with;
use crate::look::numbers::count;
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::look::{id, pill};
use crate::pages::due::{self, Paused};
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

pub(crate) async fn show(visit: Visit, Path(workspace): Path<String>, Query(asked): Query<Asked>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let own = visit.paths.deliveries(&workspace);
    let wanted = match asked.wanted(engine, &view, visit.now).await {
        Ok(wanted) => wanted,
        Err(error) if error.code == ErrorCode::Invalid => {
            return Ok(framed(StatusCode::BAD_REQUEST, &visit, &view, &form(&own, &asked, &error.fields)));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(settled) = asked.settled(&own, visit.now) {
        return Ok(Redirect::to(&settled).into_response());
    }
    let found = wanted.find(engine).await?;
    let paused = due::paused(engine, view.workspace.id, &found.rows).await?;
    let next = found.next.map(|next| asked.at(&own, Some(&next.to_public())));
    let content = html! {
        (form(&own, &asked, &[]))
        div #live data-live=[asked.is_newest().then_some("off")] {
            @if found.rows.is_empty() { (nothing(next.is_some())) } @else { (table_with(&visit, &view, &found.rows, &paused)) }
        }
        (pager(asked.first(&own).as_deref(), next.as_deref()))
    };
    Ok(framed(StatusCode::OK, &visit, &view, &content))
}

fn framed(status: StatusCode, visit: &Visit, view: &View, content: &Markup) -> Response {
    let content = html! { h1 { "Deliveries" } (content) };
    page_with(status, visit, "Deliveries", &visit.paths.to_workspace(view), &content)
}

fn nothing(goes_on: bool) -> Markup {
    html! {
        p.empty {
            @if goes_on { "None in the part that was looked through; go on with older ones." }
            @else { "No delivery fits. An event that no webhook wanted has none: look at the event, which says why." }
        }
    }
}

/// For who says elsewhere which webhook is paused.
pub(in crate::pages) fn table(visit: &Visit, view: &View, rows: &[DeliverySummary]) -> Markup {
    table_with(visit, view, rows, &Paused::new())
}

fn table_with(visit: &Visit, view: &View, rows: &[DeliverySummary], paused: &Paused) -> Markup {
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
                        td { (next(visit.now, row, paused)) }
                        td { (id::link(&visit.paths.delivery(&public_id), &public_id)) }
                    }
                }
            }
        } }
    }
}

fn next(now: Timestamp, row: &DeliverySummary, paused: &Paused) -> Markup {
    match row.state {
        DeliveryState::Pending { next_at } => due::in_short(next_at, paused.get(&row.webhook).copied(), now),
        _ => html! { "–" },
    }
}
