//! `/v1/workspaces/{workspace}/portal-links` and `…/portal-sessions`: letting a customer into the portal, and everybody out.

use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::portal_rights::PortalRights;
use signalpost_engine::portal::links::NewPortalLink;

use super::{Shared, desk_wire as wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Whole};
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn create_link(
    State(surface): Shared,
    Ids([workspace]): Ids<1>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let not_served = || Error::new(ErrorCode::Conflict, "the portal is switched off here (`portal.enabled`)");
    let portal = surface.portal.as_deref().ok_or_else(not_served)?;
    let view = surface.engine.workspace(&workspace).await?;
    let issued = surface.engine.create_portal_link(&view, read_new(&body)?)?;
    let token = issued.token.expose_text().to_owned();
    // In the query: proxies that leave something out of their logs leave out queries. Whoever follows the link is led away from
    // this address at once, so no page has it, and none is named as a referrer.
    let url = format!("{portal}/open?link={token}");
    let (id, expires_at) = (issued.link.id_text(), issued.link.expires_at.to_rfc3339_ms());
    reply::json_once(StatusCode::CREATED, &wire::PortalLink { url, token, id, expires_at })
}

pub(super) async fn end_sessions(State(surface): Shared, Ids([workspace]): Ids<1>) -> Answer {
    let workspace = surface.engine.gone_everywhere(surface.engine.workspace_id(&workspace).await).await?;
    surface.engine.end_portal_sessions(workspace).await?;
    Ok(reply::no_content())
}

fn read_new(body: &[u8]) -> Result<NewPortalLink, Error> {
    let mut fields = Fields::new(Object::parse(body)?);
    let rights = fields.optional_text("rights").and_then(|name| {
        let known = PortalRights::ALL.map(PortalRights::name).join(", ");
        fields.check("rights", PortalRights::from_name(&name).ok_or(format!("must be one of {known}")))
    });
    let name = fields.optional_text("name");
    let lasts_ms = seconds(&mut fields, "expires_in_s");
    let session_ms = seconds(&mut fields, "session_s");
    fields.refuse_rest("is not a property of a link");
    fields.finish()?;
    Ok(NewPortalLink { rights: rights.unwrap_or(PortalRights::Manages), name, lasts_ms, session_ms })
}

/// In milliseconds; one that is longer than any is left to the engine to refuse.
fn seconds(fields: &mut Fields<'_>, name: &str) -> Option<i64> {
    let Whole(seconds) = fields.member::<Whole>(name, "a whole number of seconds").given()?;
    Some(i64::try_from(seconds).map_or(i64::MAX, |seconds| seconds.saturating_mul(1_000)))
}
