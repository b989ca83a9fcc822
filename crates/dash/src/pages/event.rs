//! One event: what it says, and what it was to each webhook. Here it is found why something never came.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::event::Event;
use signalpost_core::explain::Answer;
use signalpost_core::id::WebhookId;
use signalpost_core::webhook::Remembered;
use signalpost_engine::View;
use signalpost_engine::explain::{ExplainPage, Explanation};

use crate::look::frame::{crumb, page};
use crate::look::numbers::bytes;
use crate::look::pager::pager;
use crate::look::pill::{Tone, of_delivery, pill};
use crate::look::time::moment;
use crate::look::{id, json};
use crate::on_record::Deed;
use crate::paths;
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;
/// In the address of a page that shows the data.
const SHOWN: &str = "shown";

#[derive(Deserialize)]
pub(crate) struct Asked {
    before: Option<String>,
    /// Whether the data is to be seen, which goes on record.
    #[serde(default)]
    data: String,
}

pub(crate) async fn show(
    visit: Visit,
    Path((workspace, event)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let wrong = |_| Error::field("before", "must be a number of a page that is there");
    let before = asked.before.as_deref().map(|before| before.parse().map_err(wrong)).transpose()?;
    let wanted = ExplainPage {
        webhook: None,
        before: before.map(WebhookId::from_raw),
        limit: ROWS,
        audience: visit.door.audience(),
    };
    let found = engine.explain(view.workspace.id, &event, wanted).await?;
    let own = visit.paths.event(&workspace, &found.event.id.to_public());
    let next = found.next.map(|next| paths::with_query(&own, &[("before", Some(&next.raw().to_string()))]));
    let data = payload(&visit, &workspace, &found.event, &asked.data).await?;
    let content = html! {
        h1 { (found.event.content.event_type) }
        (facts(&visit, &found.event))
        h2 { "What it was to each webhook" }
        (explained(&visit, &view, &found.rows))
        (pager(before.map(|_| own.as_str()), next.as_deref()))
        h2 #data { "Data" }
        (data)
    };
    let mut crumbs = visit.paths.to_workspace(&view);
    crumbs.push(crumb(visit.paths.events(&workspace), "Events"));
    Ok(page(&visit, &found.event.content.event_type, &crumbs, &content))
}

fn facts(visit: &Visit, event: &Event) -> Markup {
    let content = &event.content;
    html! {
        dl.facts {
            div { dt { "Id" } dd { (id::copied(&event.id.to_public())) } }
            @if let Some(producer_id) = &content.producer_id { div { dt { "Producer's id" } dd { (id::copied(producer_id)) } } }
            @if let Some(subject) = &content.subject { div { dt { "Subject" } dd { code { (subject) } } } }
            @if let Some(key) = &content.ordering_key { div { dt { "Ordering key" } dd { code { (key) } } } }
            div { dt { "Sequence" } dd { (event.sequence.0) } }
            div { dt { "Happened" } dd { (moment(content.time, visit.now)) } }
            div { dt { "Accepted" } dd { (moment(event.accepted_at, visit.now)) } }
        }
    }
}

fn explained(visit: &Visit, view: &View, rows: &[Explanation]) -> Markup {
    if rows.is_empty() {
        return html! { p.empty { "The workspace has no webhook, and had none: nobody was there to get it." } };
    }
    html! {
        div.wide { table.rows {
            thead { tr { th scope="col" { "Answer" } th scope="col" { "Webhook" } th scope="col" { "Because" } th scope="col" { "Delivery" } } }
            tbody {
                @for row in rows {
                    tr {
                        td { (answer(&row.answer)) }
                        td { (webhook(visit, view, &row.webhook)) }
                        td.because { (row.because) }
                        td {
                            @if let (Some(delivery), Answer::Sent(_)) = (row.delivery, &row.answer) {
                                @let public_id = delivery.to_public();
                                (id::link(&visit.paths.delivery(&public_id), &public_id))
                            } @else { "–" }
                        }
                    }
                }
            }
        } }
        p.muted { "As of " (moment(visit.now, visit.now)) "." }
    }
}

fn answer(answer: &Answer) -> Markup {
    match answer {
        Answer::Sent(state) => of_delivery(state, 0),
        Answer::NotSent(_) => pill(Tone::Muted, &answer.name().replace('_', " ")),
        Answer::CreatedLater(_) | Answer::ChangedLater(_) => {
            pill(Tone::Warn, &answer.name().replace('_', " "))
        }
    }
}

fn webhook(visit: &Visit, view: &View, webhook: &Remembered) -> Markup {
    match webhook {
        Remembered::Living(webhook) => html! {
            (id::link(&visit.paths.webhook(&view.workspace.public_id, &webhook.public_id), &webhook.public_id))
            br; span.muted.url title=(webhook.url) { (webhook.url) }
        },
        Remembered::Deleted(tombstone) => {
            html! { code { (tombstone.public_id) } br; span.muted { "deleted" } }
        }
    }
}

/// Of those who may see it only who asks for it does: it is the customer's, and each look is on record.
async fn payload(visit: &Visit, workspace: &str, event: &Event, asked: &str) -> Result<Markup, Error> {
    if !visit.who.reads_payloads() {
        let name = visit.who.role();
        return Ok(
            html! { p.empty { "The role " code { (name) } " does not see what customers are sent." } },
        );
    }
    if let Some(removed_at) = event.payload_removed_at {
        return Ok(html! { p.empty { "Retention has removed it " (moment(removed_at, visit.now)) "." } });
    }
    let id = event.id.to_public();
    if asked != SHOWN {
        let to = paths::with_query(&visit.paths.event(workspace, &id), &[("data", Some(SHOWN))]);
        let size = bytes(event.content.data.len() as u64);
        return Ok(
            html! { p { a href={ (to) "#data" } { "Show it" } " (" (size) "). That goes on record." } },
        );
    }
    let deed = Deed { action: "payload.view", object: &id, workspace: Some(workspace) };
    let shown = async { Ok(json::body(&event.content.data, "The event's data as it was published")) };
    visit.on_record(deed, shown).await
}
