//! All workspaces, cell by cell.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::WorkspaceId;
use signalpost_core::workspace::Workspace;

use crate::look::frame::page;
use crate::look::id;
use crate::look::pager::pager_onward;
use crate::look::time::moment;
use crate::paths;
use crate::request::Query;
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// A place among the cells.
    cell: Option<String>,
    after: Option<String>,
}

pub(crate) async fn show(visit: Visit, Query(asked): Query<Asked>) -> Page {
    let cells = visit.desk.cells.all();
    let wrong = |parameter| Error::field(parameter, "must be a number of a page that is there");
    // Who is bound to a workspace has its session beside it, and knows of no other cell.
    let bound = visit.who.bound_to();
    let first = bound.map_or(0, |_| visit.home_place());
    let place = asked.cell.as_deref().map_or(Ok(first), |place| place.parse().map_err(|_| wrong("cell")))?;
    let cell = cells.get(place).ok_or_else(|| wrong("cell"))?;
    let after = asked.after.as_deref().map(|after| after.parse().map_err(|_| wrong("after"))).transpose()?;
    let after = after.map(WorkspaceId::from_raw);
    let mut rows = cell.engine.list_workspaces(bound, after, ROWS + 1).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let cell_text = asked.cell.as_deref();
    let last = rows.last().filter(|_| more).map(|last| last.id.raw().to_string());
    let next = last.map(|last| {
        paths::with_query(&visit.paths.workspaces(), &[("cell", cell_text), ("after", Some(&last))])
    });
    let first = after.map(|_| paths::with_query(&visit.paths.workspaces(), &[("cell", cell_text)]));
    let content = html! {
        h1 { "Workspaces" }
        @if cells.len() > 1 && bound.is_none() {
            p.tabs {
                @for (other, cell) in cells.iter().enumerate() {
                    @let to = paths::with_query(&visit.paths.workspaces(), &[("cell", Some(&other.to_string()))]);
                    a href=(to) aria-current=[(other == place).then_some("true")] {
                        "Cell " @if let Some(number) = cell.number { (number) }
                    } " "
                }
            }
        }
        (table(&visit, &rows))
        (pager_onward(first.as_deref(), next.as_deref()))
    };
    Ok(page(&visit, "Workspaces", &[], &content))
}

fn table(visit: &Visit, rows: &[Workspace]) -> Markup {
    if rows.is_empty() {
        return html! {
            p.empty { "There is no workspace here yet. Make one with " code { "POST /v1/workspaces" } ", see " a href="/docs" { "the API" } "." }
        };
    }
    html! {
        div.wide { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Id" } th scope="col" { "Dialect" } th scope="col" { "Made" } } }
            tbody {
                @for row in rows {
                    @let to = visit.paths.workspace(&row.public_id);
                    tr {
                        td { a href=(to) { (row.name) } }
                        td { (id::link(&to, &row.public_id)) }
                        td { (row.dialect) }
                        td { (moment(row.created_at, visit.now)) }
                    }
                }
            }
        } }
    }
}
