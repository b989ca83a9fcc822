//! `PATCH /webhook-endpoints/{endpointId}`: what is sent changes, what is left out stays; nothing at all is fine.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::credentials::Caller;
use signalpost_engine::webhooks::WebhookChange;

use super::read::Reader;
use super::{Shared, Surface, auth, convert, details, wire};
use crate::kit::body::read_json_if_any;
use crate::kit::paths::Ids;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

pub(super) async fn update(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([id]): Ids<1>,
    request: Request,
) -> Answer {
    let body = read_json_if_any(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let change = read(&body, &surface)?;
    let instance = &surface.instance;
    if let Some(EventSelection::Only(types)) = &change.events {
        auth::check_may_read(&caller, instance, types)?;
    }
    let webhook = surface.engine.update_webhook(&caller.view, &id, change).await;
    let webhook = webhook.map_err(details::of_webhook(instance, &id))?;
    reply::json(StatusCode::OK, &convert::named(webhook, instance))
}

fn read(body: &[u8], surface: &Surface) -> Result<WebhookChange, Refusal> {
    let mut reader = Reader::new(body, surface)?;
    let url = reader.url();
    let url = reader.unless_absent(wire::URL, url);
    let types = reader.event_types();
    let types = reader.unless_absent(wire::EVENT_TYPES, types);
    let active = reader.status();
    let active = reader.unless_absent(wire::STATUS, active);
    reader.finish()?;
    Ok(WebhookChange { url, events: types.map(EventSelection::Only), active, ..WebhookChange::default() })
}
