//! `/v1/operator-sessions`: who is signed in at the dashboard. A session lies in the cell of the key that has opened it.

use axum::extract::State;
use futures_util::future::try_join_all;
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::Opener;
use signalpost_engine::{Engine, OpenOperatorSession};

use super::{Shared, desk_wire as wire};
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "operator-sessions";

pub(super) async fn list(State(surface): Shared, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let before = position.map(|[id]| OperatorSessionId::from_raw(id));
    let each = surface.cells.all().iter().map(|cell| in_cell(&cell.engine, before, limit + 1));
    let mut rows = try_join_all(each).await?.concat();
    rows.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    let more = page::cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|(id, _)| cursor::encode(LIST, &[id.raw()]));
    let data = rows.into_iter().map(|(_, shown)| shown).collect();
    reply::json(StatusCode::OK, &Page::<wire::OperatorSession> { data, next_cursor })
}

pub(super) async fn end(State(surface): Shared, Ids([session]): Ids<1>) -> Answer {
    let missing = || Error::not_found("operator session");
    let id = OperatorSessionId::from_public(&session).ok_or_else(missing)?;
    surface.cells.end_operator_session(id).await?;
    Ok(reply::no_content())
}

async fn in_cell(
    engine: &Engine,
    before: Option<OperatorSessionId>,
    limit: usize,
) -> Result<Vec<(OperatorSessionId, wire::OperatorSession)>, Error> {
    let mut rows = Vec::new();
    for open in engine.list_operator_sessions(before, limit).await? {
        rows.push((open.session.id, shown(engine, open).await?));
    }
    Ok(rows)
}

async fn shown(engine: &Engine, open: OpenOperatorSession) -> Result<wire::OperatorSession, Error> {
    let OpenOperatorSession { session, opener_name } = open;
    let workspace = match session.workspace {
        Some(workspace) => engine.public_id_of(workspace).await?,
        None => None,
    };
    let opener_id = match session.opener {
        Opener::Root { .. } => None,
        Opener::Key(id) => Some(id.to_public()),
        Opener::Account(id) => Some(id.to_public()),
    };
    Ok(wire::OperatorSession {
        id: session.id.to_public(),
        opened_by: session.opener.parts().0,
        opener: opener_id,
        opener_name,
        role: session.role.name(),
        workspace,
        created_at: session.created_at.to_rfc3339_ms(),
        expires_at: session.expires_at.to_rfc3339_ms(),
    })
}
