//! `/v1/audit`: what operators and customers have done, newest first.

use axum::extract::State;
use http::{StatusCode, Uri};
use signalpost_core::act::{Act, Actor, ActorId};
use signalpost_core::error::FieldErrors;
use signalpost_core::id::{ActId, OperatorAccountId, OperatorKeyId, PortalSessionId};
use signalpost_engine::ListActs;

use super::{Shared, desk_wire as wire};
use crate::kit::page::{self, Page, Wanted};
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "audit";
const ROOT: &str = "root";

pub(super) async fn list(State(surface): Shared, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let (workspace, action) = (query.take("workspace"), query.take("action"));
    let by = query.take("by").and_then(|text| {
        let expected =
            || "must be `root`, or the id of a key, of an operator or of a session at the portal".to_owned();
        errors.take("by", actor_of(&text).ok_or_else(expected))
    });
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let before = position.map(|[id]| ActId::from_raw(id));
    let found = surface.desk().list_acts(ListActs { workspace, by, action, before, limit }).await?;
    let next_cursor = found.next.map(|next| cursor::encode(LIST, &[next.raw()]));
    let data = found.rows.into_iter().map(shown).collect();
    reply::json(StatusCode::OK, &Page::<wire::Act> { data, next_cursor })
}

fn actor_of(text: &str) -> Option<ActorId> {
    if text == ROOT {
        return Some(ActorId::Root);
    }
    OperatorKeyId::from_public(text)
        .map(ActorId::Key)
        .or_else(|| OperatorAccountId::from_public(text).map(ActorId::Account))
        .or_else(|| PortalSessionId::from_public(text).map(ActorId::Customer))
}

fn shown(act: Act) -> wire::Act {
    let (result, status) = act.result.parts();
    let id = match act.by {
        Actor::Root => None,
        Actor::Key { id, .. } => Some(id.to_public()),
        Actor::Account { id, .. } => Some(id.to_public()),
        Actor::Customer { session, .. } => Some(session.to_public()),
    };
    let by = wire::ActedBy { kind: act.by.id().parts().0, id, name: act.by.name().map(str::to_owned) };
    wire::Act {
        id: act.id.to_public(),
        at: act.at.to_rfc3339_ms(),
        by,
        action: act.action.as_str().to_owned(),
        object: act.object,
        workspace: act.workspace,
        surface: act.surface.name(),
        address: act.address.map(|address| address.to_string()),
        request_id: act.request_id,
        result,
        status,
        detail: act.detail,
    }
}
