//! The start: whether what is due goes out, what this process has done, and what the store takes.

use maud::{Markup, html};
use signalpost_core::error::Error;
use signalpost_core::lane_group::LaneGroup;
use signalpost_engine::cells::Cell;
use signalpost_engine::{Cluster, Engine, Room, Storage};

use crate::look::frame::page;
use crate::look::numbers::{bytes, count};
use crate::look::pill::{Tone, pill};
use crate::look::time::{moment, span};
use crate::trouble::Page;
use crate::visit::Visit;

/// What waits longer is late: longer than a retry that goes out with its second try.
const LATE_MS: u64 = 60_000;

pub(crate) async fn show(visit: Visit) -> Page {
    let mut parts = Vec::new();
    // Who is bound to a workspace knows nothing of the whole.
    if visit.who.bound_to().is_none() {
        for cell in visit.desk.cells.all() {
            parts.push(of_cell(&visit, cell).await?);
        }
    }
    let content = html! {
        h1 { "Overview" }
        @for part in &parts { (part) }
        p.tabs { a href=(visit.paths.workspaces()) { "To the workspaces" } }
    };
    Ok(page(&visit, "Overview", &[], &content))
}

async fn of_cell(visit: &Visit, cell: &Cell) -> Result<Markup, Error> {
    let engine = &cell.engine;
    let (storage, cluster) = (engine.storage().await?, engine.cluster().await?);
    Ok(html! {
        @if let Some(number) = cell.number { h2 { "Cell " (number) } }
        (state(engine, &storage))
        (done(engine))
        (kept(visit, &storage))
        (nodes(&cluster))
    })
}

/// The age of the oldest delivery that is due; `None` before the first look at them.
fn oldest_due_ms(engine: &Engine) -> Option<u64> {
    let ages = LaneGroup::all().map(|group| engine.metrics().oldest_due.ms(group));
    ages.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

fn state(engine: &Engine, storage: &Storage) -> Markup {
    let oldest = oldest_due_ms(engine);
    html! {
        p.state {
            @if storage.room == Room::Full {
                (pill(Tone::Bad, "no room")) " The disk is full: new events are refused, and what was accepted is safe."
            } @else {
                @match oldest {
                    None => { (pill(Tone::Info, "starting")) " What is owed has not been looked at yet." }
                    Some(0) => { (pill(Tone::Ok, "all out")) " Nothing that is due waits." }
                    Some(ms) if ms < LATE_MS => { (pill(Tone::Ok, "in time")) " The oldest delivery that is due waits since " (span(ms)) "." }
                    Some(ms) => { (pill(Tone::Warn, "behind")) " The oldest delivery that is due waits since " (span(ms)) ". It may be one of a paused webhook." }
                }
            }
        }
    }
}

fn done(engine: &Engine) -> Markup {
    let metrics = engine.metrics();
    let (delivered, failed) = (metrics.deliveries_delivered.get(), metrics.deliveries_failed.get());
    html! {
        h2 { "Since this process started" }
        dl.facts {
            div { dt { "Events accepted" } dd { (count(metrics.events_accepted.get())) } }
            div { dt { "Deliveries made" } dd { (count(metrics.deliveries_created.get())) } }
            div { dt { "Delivered" } dd { (count(delivered)) } }
            div { dt { "Failed for good" } dd { (count(failed)) } }
            div { dt { "Retries set" } dd { (count(metrics.retries_scheduled.get())) } }
            div { dt { "Webhooks paused by the engine" } dd { (count(metrics.webhooks_paused.get())) " (" (count(metrics.webhooks_recovered.get())) " recovered)" } }
            div { dt { "Requests under way" } dd { (count(metrics.attempts_in_flight.get().unsigned_abs())) } }
        }
    }
}

fn kept(visit: &Visit, storage: &Storage) -> Markup {
    html! {
        h2 { "Storage" }
        dl.facts {
            div { dt { "Events" } dd { (count(storage.events)) } }
            div { dt { "Oldest event" } dd { @if let Some(at) = storage.oldest_event_at { (moment(at, visit.now)) } @else { "–" } } }
            div { dt { "Database" } dd { (bytes(storage.database_bytes)) ", " (bytes(storage.free_bytes)) " of it free" } }
            @if let Some(disk) = storage.disk {
                div { dt { "Disk" } dd { (bytes(disk.free_bytes)) " free of " (bytes(disk.total_bytes)) } }
            }
        }
    }
}

fn nodes(cluster: &Cluster) -> Markup {
    html! {
        @if cluster.nodes.len() > 1 {
            h2 { "Nodes" }
            div.wide { table {
                thead { tr { th scope="col" { "Node" } th scope="col" { "Delivers" } th.number scope="col" { "Lane groups" } th scope="col" { "Lease renewed" } } }
                tbody {
                    @for node in &cluster.nodes {
                        @let groups = cluster.groups.iter().filter(|group| group.owner == Some(node.number)).count();
                        tr {
                            td { (node.number) @if node.is_this { " (this one)" } }
                            td { @if node.delivers { "yes" } @else { "no" } }
                            td.number { (count(groups as u64)) }
                            td { @if let Some(ms) = node.renewed_ms_ago { (span(ms)) " ago" } @else { "–" } }
                        }
                    }
                }
            } }
        }
    }
}
