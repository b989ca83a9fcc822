//! Who is signed in, and ending that.

use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::Opener;

use crate::look::frame::proof;
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::on_record::Deed;
use crate::paths;
use crate::request::Path;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

const ROWS: usize = 50;

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The last session of the page before.
    before: Option<String>,
}

/// Those that are good now, newest first.
pub(super) async fn table(visit: &Visit, asked: &Asked) -> Result<Markup, Error> {
    let unknown = || Error::field("before", "must be the id of a session");
    let before = asked.before.as_deref().map(|id| OperatorSessionId::from_public(id).ok_or_else(unknown));
    let before = before.transpose()?;
    let mut open = visit.desk.cells.list_operator_sessions(before, ROWS + 1).await?;
    let more = open.len() > ROWS;
    open.truncate(ROWS);
    let own = visit.paths.page("operators");
    let last = open.last().filter(|_| more).map(|last| last.session.id.to_public());
    let older = last.map(|last| paths::with_query(&own, &[("before", Some(&last))]));
    let first = before.map(|_| own.as_str());
    Ok(html! {
        h2 { "Signed in" }
        div.wide { table {
            thead { tr { th scope="col" { "Who" } th scope="col" { "Role" } th scope="col" { "By" } th scope="col" { "Since" } th scope="col" { "Ends" } th scope="col" { "Do" } } }
            tbody {
                @for row in &open {
                    @let session = &row.session;
                    tr {
                        td { (row.opener_name.as_deref().unwrap_or("operator key")) }
                        td { (session.role.name()) }
                        td { (by(session.opener)) }
                        td { (moment(session.created_at, visit.now)) }
                        td { (moment(session.expires_at, visit.now)) }
                        td {
                            form method="post" action=(visit.paths.page(&format!("sessions/{}/end", session.id.to_public()))) {
                                (proof(visit))
                                button.quiet aria-label={ "End the session of " (row.opener_name.as_deref().unwrap_or("operator key")) } { "End" }
                            }
                        }
                    }
                }
            }
        } }
        (pager(first, older.as_deref()))
    })
}

const fn by(opener: Opener) -> &'static str {
    match opener {
        Opener::Root { .. } => "the installation's own key",
        Opener::Key(_) => "an operator key",
        Opener::Account(_) => "a password",
    }
}

/// No node lets it in any more when this is answered.
pub(crate) async fn end(Path(session): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_administer_all()?;
    let id = OperatorSessionId::from_public(&session).ok_or_else(|| Error::not_found("session"))?;
    let deed = Deed { action: "session.end", object: &session, workspace: None };
    visit.on_record(deed, visit.desk.cells.end_operator_session(id)).await?;
    Ok(Redirect::to(&visit.paths.page("operators")).into_response())
}
