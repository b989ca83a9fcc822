//! The start: whether what is due goes out, what has happened of late, who fails, and what the store takes.

use maud::{Markup, html};
use signalpost_core::error::Error;
use signalpost_core::figures::FiguresOf;
use signalpost_core::id::WorkspaceId;
use signalpost_engine::cells::Cell;
use signalpost_engine::{Cluster, Engine, Room, Storage};

use crate::look::frame::page;
use crate::look::numbers::{bytes, count};
use crate::look::pill::{Tone, pill};
use crate::look::time::{moment, span};
use crate::pages::figures::{self, Late};
use crate::trouble::Page;
use crate::visit::Visit;

/// What waits longer is late: longer than a retry that goes out with its second try.
const LATE_MS: u64 = 60_000;

pub(crate) async fn show(visit: Visit) -> Page {
    let parts = match visit.who.bound_to() {
        // Who is bound to a workspace knows nothing of the whole. The key that opened the session lies beside it.
        Some(workspace) => vec![of_workspace(&visit, workspace).await?],
        None => of_installation(&visit).await?,
    };
    let content = html! {
        h1 { "Overview" }
        @for part in &parts { (part) }
        p.tabs { a href=(visit.paths.workspaces()) { "To the workspaces" } }
    };
    Ok(page(&visit, "Overview", &[], &content))
}

async fn of_workspace(visit: &Visit, workspace: WorkspaceId) -> Result<Markup, Error> {
    let late = Late::of_day(visit.home(), FiguresOf::Workspace(workspace), visit.now).await?;
    Ok(html! {
        h2 { "The last 24 hours" }
        (late.facts())
        (late.charts("w"))
        (figures::failing(visit, visit.home()).await?)
    })
}

/// The charts show what all cells did together: a page with those of each would be too large to be quick.
async fn of_installation(visit: &Visit) -> Result<Vec<Markup>, Error> {
    let cells = visit.desk.cells.all();
    let mut each = Vec::with_capacity(cells.len());
    for cell in cells {
        each.push(Late::of_installation(&cell.engine, visit.now).await?);
    }
    let together = Late::together(&each);
    let charts = html! { h2 { "The last hour" } (together.facts()) (together.charts("c")) };
    if let [cell] = cells {
        return Ok(vec![of_cell(visit, cell, &charts).await?]);
    }
    let mut parts = vec![charts];
    for (cell, late) in cells.iter().zip(&each) {
        parts.push(of_cell(visit, cell, &late.facts()).await?);
    }
    Ok(parts)
}

/// `late`: what has happened of late.
async fn of_cell(visit: &Visit, cell: &Cell, late: &Markup) -> Result<Markup, Error> {
    let engine = &cell.engine;
    let (storage, cluster) = (engine.storage().await?, engine.cluster().await?);
    let failing = figures::failing(visit, engine).await?;
    Ok(html! {
        @if let Some(number) = cell.number { h2 { "Cell " (number) } }
        (state(engine, &storage))
        (late)
        (failing)
        (done(engine))
        (kept(visit, &storage))
        (nodes(&cluster))
    })
}

fn state(engine: &Engine, storage: &Storage) -> Markup {
    let oldest = engine.metrics().oldest_due.worst_ms();
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
    html! {
        h2 { "This process" }
        dl.facts {
            div { dt { "Requests under way" } dd { (count(metrics.attempts_in_flight.get().unsigned_abs())) } }
            div { dt { "Webhooks paused by the engine since it started" } dd { (count(metrics.webhooks_paused.get())) " (" (count(metrics.webhooks_recovered.get())) " recovered)" } }
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
