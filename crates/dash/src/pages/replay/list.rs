//! The replays of a workspace, newest first.

use maud::html;
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::ReplayId;

use super::show::{of_phase, target};
use crate::look::frame::page;
use crate::look::id;
use crate::look::numbers::count;
use crate::look::pager::pager;
use crate::look::time::moment;
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
    let wrong = || Error::field("before", "must be the id of a replay");
    let before = asked.before.as_deref().map(|id| ReplayId::from_public(id).ok_or_else(wrong)).transpose()?;
    let mut rows = engine.list_replays(view.workspace.id, before, ROWS + 1).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let own = visit.paths.replays(&workspace);
    let last = rows.last().filter(|_| more).map(|last| last.replay.id.to_public());
    let next = last.map(|last| paths::with_query(&own, &[("before", Some(&last))]));
    let content = html! {
        h1 { "Replays" }
        @if rows.is_empty() { p.empty { "Nothing was replayed here of late. Ask for it on the page of a webhook." } }
        @else {
            div.wide { table.rows {
                thead { tr { th scope="col" { "State" } th scope="col" { "Webhook" } th.number scope="col" { "Planned" } th.number scope="col" { "Sent" } th scope="col" { "Asked for" } th scope="col" { "Replay" } } }
                tbody {
                    @for row in &rows {
                        @let public_id = row.replay.id.to_public();
                        tr {
                            td { (of_phase(row.replay.phase)) }
                            td { (target(row)) }
                            td.number { (count(row.replay.progress.planned)) }
                            td.number { (count(row.replay.progress.sent)) }
                            td { (moment(row.replay.made_at, visit.now)) }
                            td { (id::link(&visit.paths.replay(&workspace, &public_id), &public_id)) }
                        }
                    }
                }
            } }
        }
        (pager(before.map(|_| own.as_str()), next.as_deref()))
    };
    Ok(page(&visit, "Replays", &visit.paths.to_workspace(&view), &content))
}
