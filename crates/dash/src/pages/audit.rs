//! What operators have done, newest first.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::act::{Act, ActResult, Actor};
use signalpost_core::error::Error;
use signalpost_core::id::ActId;
use signalpost_engine::ListActs;

use crate::look::frame::page;
use crate::look::pager::pager;
use crate::look::pill::{Tone, pill};
use crate::look::time::moment;
use crate::paths;
use crate::request::Query;
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;

/// The filter: it lives in the address, so that it can be passed on.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    workspace: String,
    before: Option<String>,
}

pub(crate) async fn show(visit: Visit, Query(asked): Query<Asked>) -> Page {
    visit.must_administer_all()?;
    let wrong = |_| Error::field("before", "must be a number of a page that is there");
    let before = asked.before.as_deref().map(|before| before.parse().map_err(wrong)).transpose()?;
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let (workspace, action) = (given(&asked.workspace), given(&asked.action));
    let wanted = ListActs { workspace, by: None, action, before: before.map(ActId::from_raw), limit: ROWS };
    let found = visit.desk.first().list_acts(wanted).await?;
    let own = visit.paths.page("audit");
    let at = |before: Option<&str>| {
        let filter = [("action", asked.action.as_str()), ("workspace", asked.workspace.as_str())];
        let filter = filter.map(|(name, value)| (name, Some(value)));
        paths::with_query(&own, &[filter.as_slice(), &[("before", before)]].concat())
    };
    let (first, next) = (before.map(|_| at(None)), found.next.map(|next| at(Some(&next.raw().to_string()))));
    let content = html! {
        h1 { "Audit" }
        form.line action=(own) {
            label { "Action " input name="action" value=(asked.action) placeholder="webhook, payload.view" spellcheck="false" autocomplete="off"; }
            label { "Workspace " input name="workspace" value=(asked.workspace) spellcheck="false" autocomplete="off"; }
            button.quiet { "Filter" }
        }
        @if found.rows.is_empty() {
            p.empty {
                @if next.is_some() { "None in the part that was looked through; go on with older ones." }
                @else { "Nothing of the kind is on record. What was done more than 400 days ago is not kept." }
            }
        } @else { (table(&visit, &found.rows)) }
        (pager(first.as_deref(), next.as_deref()))
    };
    Ok(page(&visit, "Audit", &[], &content))
}

fn table(visit: &Visit, rows: &[Act]) -> Markup {
    html! {
        div.wide { table.rows {
            thead { tr {
                th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "Did" } th scope="col" { "To" }
                th scope="col" { "Workspace" } th scope="col" { "Result" } th scope="col" { "By" } th scope="col" { "From" }
                th scope="col" { "Request" }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td { (moment(row.at, visit.now)) }
                        td { (who(&row.by)) }
                        td { code { (row.action.as_str()) } }
                        td.because { code { (row.object) } @if !row.detail.is_empty() { br; (row.detail) } }
                        td { @if let Some(workspace) = &row.workspace { a href=(visit.paths.workspace(workspace)) { (workspace) } } @else { "–" } }
                        td { (result(row.result)) }
                        td { (row.surface.name()) }
                        td { @if let Some(address) = row.address { (address) } @else { "–" } }
                        td { code { (row.request_id) } }
                    }
                }
            }
        } }
    }
}

fn who(by: &Actor) -> Markup {
    match by {
        Actor::Root => html! { "installation's key" },
        Actor::Key { id, name } => {
            html! { (name.as_deref().unwrap_or("operator key")) br; code.muted { (id.to_public()) } }
        }
        Actor::Account { username, .. } => html! { (username) },
        Actor::Customer { session, name } => {
            html! { (name.as_deref().unwrap_or("customer")) br; code.muted { (session.to_public()) } }
        }
    }
}

fn result(result: ActResult) -> Markup {
    match result {
        ActResult::Pending => pill(Tone::Warn, "not known"),
        ActResult::Done { .. } => pill(Tone::Ok, "done"),
        ActResult::Refused { status } => pill(Tone::Muted, &format!("refused: {status}")),
    }
}
