//! `PATCH /webhooks/{webhookId}`: what is sent changes, what is left out stays.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::credentials::Caller;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use super::{Instance, Shared, convert, read, wire};
use crate::kit::body::read_json;
use crate::kit::fields::Fields;
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn update(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([webhook]): Ids<1>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let change = read(&body, &surface.instance)?;
    let webhook = surface.engine.update_webhook(&caller.view, &webhook, change).await?;
    let workspace = &caller.view.workspace.public_id;
    reply::json(StatusCode::OK, &convert::webhook(workspace, webhook, None, &surface.instance))
}

/// Everything but these four fields is refused by name, `agentId`, `workspaceId`, `webhookId` and `secret` included.
fn read(body: &[u8], instance: &Instance) -> Result<WebhookChange, Error> {
    let mut fields = Fields::new(Object::parse(body)?);
    if fields.is_empty() {
        let message = "the body must hold at least one of name, url, events, active";
        return Err(Error::new(ErrorCode::Invalid, message));
    }
    let name = read::name(&mut fields, instance);
    let url = read::url(&mut fields);
    let events = read::events(&mut fields, instance);
    let active = fields.member::<bool>(wire::ACTIVE, "true or false");
    let change = WebhookChange {
        name: fields.unless_absent(wire::NAME, name).map(Some),
        url: fields.unless_absent(wire::URL, url),
        events: fields.unless_absent(wire::EVENTS, events),
        active: fields
            .unless_absent(wire::ACTIVE, active)
            .map(|active| if active { Activity::Active } else { Activity::Paused }),
        ..WebhookChange::default()
    };
    fields.refuse_rest("cannot be changed");
    fields.finish()?;
    Ok(change)
}
