//! A workspace: its webhooks with how they fare, and the ways to its events and deliveries.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::WebhookId;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::{ListWebhooks, Usage, View};

use crate::look::frame::page;
use crate::look::numbers::{bytes, count, counted};
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::look::{id, pill};
use crate::paths;
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;

#[derive(Deserialize)]
pub(crate) struct Asked {
    before: Option<String>,
}

pub(crate) async fn show(visit: Visit, Path(workspace): Path<String>, Query(asked): Query<Asked>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let wrong = |_| Error::field("before", "must be a number of a page that is there");
    let before = asked.before.as_deref().map(|before| before.parse().map_err(wrong)).transpose()?;
    let wanted = ListWebhooks {
        workspace: view.workspace.id,
        subject: None,
        active: None,
        before: before.map(WebhookId::from_raw),
        offset: 0,
        limit: ROWS + 1,
    };
    let mut webhooks = engine.list_webhooks(wanted).await?;
    let usage = engine.usage(view.workspace.id).await?;
    let more = webhooks.rows.len() > ROWS;
    webhooks.rows.truncate(ROWS);
    let own = visit.paths.workspace(&workspace);
    let last = webhooks.rows.last().filter(|_| more).map(|last| last.id.raw().to_string());
    let next = last.map(|last| paths::with_query(&own, &[("before", Some(&last))]));
    let content = html! {
        h1 { (view.workspace.name) }
        (facts(&visit, &view, &usage))
        @if visit.who.at_portal_of().is_none() { (ways(&visit, &view)) }
        h2 { "Webhooks " small { (count(webhooks.total)) } }
        @if visit.who.manages_webhooks() { p { a href=(visit.paths.new_webhook(&workspace)) { "New webhook" } } }
        (table(&visit, &view, &webhooks.rows))
        (pager(before.map(|_| own.as_str()), next.as_deref()))
    };
    Ok(page(&visit, &view.workspace.name, &visit.paths.above_workspace(), &content))
}

fn facts(visit: &Visit, view: &View, usage: &Usage) -> Markup {
    html! {
        dl.facts {
            div { dt { "Id" } dd { (id::copied(&view.workspace.public_id)) } }
            div { dt { "Dialect" } dd { (view.workspace.dialect) } }
            div { dt { "Made" } dd { (moment(view.workspace.created_at, visit.now)) } }
            div { dt { "Kept" } dd { (counted(usage.events, "event")) ", " (bytes(usage.bytes)) } }
        }
    }
}

fn ways(visit: &Visit, view: &View) -> Markup {
    let own = &view.workspace.public_id;
    let failed = paths::with_query(&visit.paths.deliveries(own), &[("status", Some("failed"))]);
    html! {
        p.tabs {
            a href=(visit.paths.events(own)) { "Events" } " "
            a href=(visit.paths.deliveries(own)) { "Deliveries" } " "
            a href=(failed) { "Failed deliveries" } " "
            a href=(visit.paths.replays(own)) { "Replays" }
        }
        form.line action=(visit.paths.page("find")) {
            input type="hidden" name="workspace" value=(own);
            label for="in" { "Find here" }
            input #in type="search" name="q" placeholder="Id of an event, a delivery or a webhook" spellcheck="false" autocomplete="off";
            button.quiet { "Find" }
        }
    }
}

fn table(visit: &Visit, view: &View, rows: &[Webhook]) -> Markup {
    if rows.is_empty() && visit.who.at_portal_of().is_some() {
        return html! {
            p.empty { "No webhook is here yet, so events go nowhere." }
        };
    }
    if rows.is_empty() {
        return html! {
            p.empty {
                "No webhook is here, so events go nowhere. Customers make them through the API of their dialect, "
                @if visit.who.manages_webhooks() { "and you by “New webhook” above." } @else { "and admins here." }
            }
        };
    }
    html! {
        div.wide { table {
            thead { tr {
                th scope="col" { "URL" } th scope="col" { "State" } th scope="col" { "Events" }
                th.number scope="col" { "Failures in a row" } th scope="col" { "Failing since" } th scope="col" { "Id" }
            } }
            tbody {
                @for row in rows {
                    @let to = visit.paths.webhook(&view.workspace.public_id, &row.public_id);
                    tr {
                        td.url { a.lines href=(to) title=(row.url) { (row.url) } @if let Some(name) = &row.name { span.muted { (name) } } }
                        td { (pill::of_webhook(row.state, &row.health)) }
                        td.types { (selection(&row.events)) }
                        td.number { (count(row.health.consecutive_failures)) }
                        td { @if let Some(since) = row.health.failing_since { (moment(since, visit.now)) } @else { "–" } }
                        td { (id::link(&to, &row.public_id)) }
                    }
                }
            }
        } }
    }
}

/// The first few, and how many more there are.
pub(super) fn selection(events: &EventSelection) -> String {
    const NAMED: usize = 3;
    match events {
        EventSelection::All => "all".to_owned(),
        EventSelection::Only(types) if types.len() <= NAMED => types.join(", "),
        EventSelection::Only(types) => {
            format!("{} and {} more", types[..NAMED].join(", "), types.len() - NAMED)
        }
    }
}
