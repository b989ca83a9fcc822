//! `POST /webhooks`: 201 with the webhook and, this once, its secret.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::credentials::Caller;
use signalpost_engine::webhooks::NewWebhook;

use super::{Instance, Shared, convert, read, wire};
use crate::kit::body::read_json;
use crate::kit::fields::Fields;
use crate::kit::json::Object;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let new = read(&body, &surface.instance)?;
    let issued = surface.engine.create_webhook(&caller.view, new, None).await?.now();
    let issued = issued.ok_or_else(|| Error::internal("a call without a key was answered before"))?;
    let workspace = &caller.view.workspace.public_id;
    let shown = convert::webhook(workspace, issued.webhook, issued.secret.as_ref(), &surface.instance);
    reply::json_once(StatusCode::CREATED, &shown)
}

fn read(body: &[u8], instance: &Instance) -> Result<NewWebhook, Error> {
    let mut fields = Fields::new(Object::parse(body)?);
    let name = read::name(&mut fields, instance);
    let name = read::required(&mut fields, wire::NAME, name);
    let agent_id = read::agent_id(&mut fields, instance);
    let agent_id = read::required(&mut fields, wire::AGENT_ID, agent_id);
    let url = read::url(&mut fields);
    let url = read::required(&mut fields, wire::URL, url);
    let events = read::events(&mut fields, instance);
    let events = read::required(&mut fields, wire::EVENTS, events);
    fields.refuse_rest("is not accepted here");
    fields.finish()?;
    let complete = url.zip(events).map(|(url, events)| NewWebhook {
        name,
        events,
        subject: agent_id,
        ..NewWebhook::to(url)
    });
    complete.ok_or_else(|| Error::new(ErrorCode::Internal, "a field was lost although none was refused"))
}
