//! From an id, or from the name of a workspace, to its page.

use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::workspace::Workspace;

use crate::door::Door;
use crate::look::frame::page;
use crate::look::id;
use crate::look::numbers::count;
use crate::request::Query;
use crate::trouble::Page;
use crate::visit::Visit;

/// Names of workspaces that are looked through.
const NAMES_MAX: usize = 2_000;
const SHOWN_MAX: usize = 50;
/// Workspaces of one look into a store.
const LOOK: usize = 200;

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    /// Where to look, when that is known.
    #[serde(default)]
    workspace: String,
}

pub(crate) async fn show(visit: Visit, Query(Asked { q, workspace }): Query<Asked>) -> Page {
    let wanted = q.trim();
    if let Some(to) = exactly(&visit, wanted, &workspace).await? {
        return Ok(Redirect::to(&to).into_response());
    }
    // Customers have one workspace, and are in it.
    let looks_for_names = visit.door == Door::Operators && !wanted.is_empty();
    let (found, is_all) = if looks_for_names { by_name(&visit, wanted).await? } else { (Vec::new(), true) };
    let content = html! {
        h1 { "Find" }
        @if found.is_empty() {
            p.empty {
                (nothing(visit.door, wanted))
                @if !is_all { " Only the first " (count(NAMES_MAX as u64)) " workspaces of each cell were looked through." }
            }
        } @else {
            div.wide { table {
                thead { tr { th scope="col" { "Workspace" } th scope="col" { "Id" } th scope="col" { "Dialect" } } }
                tbody {
                    @for row in &found {
                        @let to = visit.paths.workspace(&row.public_id);
                        tr { td { a href=(to) { (row.name) } } td { (id::link(&to, &row.public_id)) } td { (row.dialect) } }
                    }
                }
            } }
        }
    };
    Ok(page(&visit, "Find", &[], &content))
}

fn nothing(door: Door, wanted: &str) -> Markup {
    html! {
        @match (door, wanted) {
            (Door::Operators, "") => "Type the id of anything, or a part of the name of a workspace.",
            (Door::Customers, "") => "Type the id of a webhook, an event or a delivery.",
            (Door::Operators, _) => {
                "Nothing here has the id, and no workspace the name, “" (wanted) "”. Events and webhooks are found from the page of their workspace, deliveries from anywhere."
            }
            (Door::Customers, _) => { "Nothing here has the id “" (wanted) "”. Webhooks, events and deliveries are found by their ids." }
        }
    }
}

/// The page of what has this very id.
async fn exactly(visit: &Visit, wanted: &str, workspace: &str) -> Result<Option<String>, Error> {
    if wanted.is_empty() {
        return Ok(None);
    }
    if there(visit.desk.of_delivery(&visit.who, wanted).await)?.is_some() {
        return Ok(Some(visit.paths.delivery(wanted)));
    }
    if !workspace.is_empty() {
        let engine = visit.engine_of(workspace).await?;
        let id = engine.workspace_id(workspace).await?;
        if let Some(event) = there(engine.event(id, wanted).await)? {
            return Ok(Some(visit.paths.event(workspace, &event.id.to_public())));
        }
        if there(engine.webhook(id, wanted).await)?.is_some() {
            return Ok(Some(visit.paths.webhook(workspace, wanted)));
        }
    }
    let found = there(visit.engine_of(wanted).await)?;
    Ok(found.map(|_| visit.paths.workspace(wanted)))
}

fn there<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Err(error) if error.code == ErrorCode::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Workspaces in whose names this stands, and whether all were looked through.
async fn by_name(visit: &Visit, wanted: &str) -> Result<(Vec<Workspace>, bool), Error> {
    let wanted = wanted.to_lowercase();
    let (mut found, mut is_all) = (Vec::new(), true);
    for cell in visit.desk.cells.all() {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = cell.engine.list_workspaces(visit.who.bound_to(), after, LOOK).await?;
            seen += page.len();
            let is_last = page.len() < LOOK;
            after = page.last().map(|last| last.id);
            found.extend(page.into_iter().filter(|one| one.name.to_lowercase().contains(&wanted)));
            if is_last || seen >= NAMES_MAX || found.len() >= SHOWN_MAX {
                is_all &= is_last;
                break;
            }
        }
    }
    found.truncate(SHOWN_MAX);
    Ok((found, is_all))
}
