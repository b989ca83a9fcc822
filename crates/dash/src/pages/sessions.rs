//! Who is signed in, and ending that.

use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::Opener;

use crate::look::frame::proof;
use crate::look::time::moment;
use crate::on_record::Deed;
use crate::request::Path;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

/// Of each cell.
const ROWS: usize = 100;

/// Those that are good now, newest first.
pub(super) async fn table(visit: &Visit) -> Result<Markup, Error> {
    let mut open = Vec::new();
    for cell in visit.desk.cells.all() {
        open.extend(cell.engine.list_operator_sessions(None, ROWS).await?);
    }
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
    let missing = || Error::not_found("session");
    let id = OperatorSessionId::from_public(&session).ok_or_else(missing)?;
    let deed = Deed { action: "session.end", object: &session, workspace: None };
    let end = async {
        // It lies in the cell of its key.
        for cell in visit.desk.cells.all() {
            match cell.engine.end_operator_session(id).await {
                Err(error) if error.code == ErrorCode::NotFound => {}
                ended => return ended,
            }
        }
        Err(missing())
    };
    visit.on_record(deed, end).await?;
    Ok(Redirect::to(&visit.paths.page("operators")).into_response())
}
