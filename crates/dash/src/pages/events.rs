//! The events of a workspace, newest first.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::EventId;
use signalpost_engine::{EventPage, ListEvents, View};

use crate::look::frame::page;
use crate::look::id;
use crate::look::numbers::{bytes, count};
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::paths;
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

const ROWS: usize = 50;

/// The filter: it lives in the address, so that it can be passed on.
#[derive(Deserialize)]
pub(crate) struct Asked {
    r#type: Option<String>,
    subject: Option<String>,
    before: Option<String>,
}

pub(crate) async fn show(visit: Visit, Path(workspace): Path<String>, Query(asked): Query<Asked>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let (event_type, subject) = (given(&asked.r#type), given(&asked.subject));
    let wrong = || Error::field("before", "must be the id of an event");
    let before = given(&asked.before).map(|id| EventId::from_public(&id).ok_or_else(wrong)).transpose()?;
    let wanted = ListEvents {
        workspace: view.workspace.id,
        event_type: event_type.clone(),
        subject: subject.clone(),
        before,
        limit: ROWS,
    };
    let found = engine.list_events(wanted).await?;
    let own = visit.paths.events(&workspace);
    let at = |before: Option<&str>| {
        let filter = [("type", event_type.as_deref()), ("subject", subject.as_deref()), ("before", before)];
        paths::with_query(&own, &filter)
    };
    let (first, next) = (before.map(|_| at(None)), found.next.map(|next| at(Some(&next.to_public()))));
    let content = html! {
        h1 { "Events" }
        form.line action=(own) {
            label { "Type " input name="type" value=[&event_type] spellcheck="false" autocomplete="off"; }
            label { "Subject " input name="subject" value=[&subject] spellcheck="false" autocomplete="off"; }
            button.quiet { "Filter" }
        }
        div #live data-live=[before.is_none().then_some("off")] { (table(&visit, &view, &found)) }
        (pager(first.as_deref(), next.as_deref()))
    };
    Ok(page(&visit, "Events", &visit.paths.to_workspace(&view), &content))
}

fn table(visit: &Visit, view: &View, found: &EventPage) -> Markup {
    if found.rows.is_empty() {
        return html! {
            p.empty {
                @if found.next.is_some() { "None in the part that was looked through; go on with older ones." }
                @else { "No event fits. What was published under another type, or removed by retention, is not here." }
            }
        };
    }
    html! {
        div.wide { table {
            thead { tr {
                th scope="col" { "Event" } th scope="col" { "Type" } th scope="col" { "Subject" } th scope="col" { "Producer's id" }
                th.number scope="col" { "Webhooks" } th.number scope="col" { "Size" } th scope="col" { "Accepted" }
            } }
            tbody {
                @for event in &found.rows {
                    @let public_id = event.id.to_public();
                    tr {
                        td { (id::link(&visit.paths.event(&view.workspace.public_id, &public_id), &public_id)) }
                        td { (event.content.event_type) }
                        td { (event.content.subject.as_deref().unwrap_or("–")) }
                        td { (event.content.producer_id.as_deref().unwrap_or("–")) }
                        td.number { (count(event.targets.len() as u64)) }
                        td.number { @if event.payload_removed_at.is_some() { "removed" } @else { (bytes(event.content.data.len() as u64)) } }
                        td { (moment(event.accepted_at, visit.now)) }
                    }
                }
            }
        } }
    }
}
