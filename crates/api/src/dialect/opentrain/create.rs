//! `POST /webhooks`: the webhook and, this once, its secret.

use axum::Extension;
use axum::extract::{Request, State};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::credentials::Caller;
use signalpost_engine::webhooks::NewWebhook;

use super::details::Details;
use super::read::Reader;
use super::{Instance, Shared, Surface, auth, convert, profile, wire};
use crate::kit::body::read_json;
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let (url, types) = read(&body, &surface)?;
    let instance = &surface.instance;
    auth::check_may_read(&caller, instance, &types)?;
    let new = NewWebhook { events: EventSelection::Only(types), ..NewWebhook::to(url) };
    let issued = surface.engine.create_webhook(&caller.view, new, None).await;
    let issued = issued.map_err(|error| with_limit(error, instance))?.now();
    let issued = issued.ok_or_else(|| Error::internal("a call without a key was answered before"))?;
    let secret =
        issued.secret.ok_or_else(|| Error::internal("webhooks of this dialect have a secret each"))?;
    let created = wire::Created {
        webhook: convert::named(issued.webhook, instance),
        secret: secret.expose_text(),
        message: profile::secret_message(instance),
    };
    reply::json_once(profile::CREATED, &created)
}

fn read(body: &[u8], surface: &Surface) -> Result<(TargetUrl, Vec<String>), Refusal> {
    let mut reader = Reader::new(body, surface)?;
    let url = reader.url();
    let url = reader.required(wire::URL, url);
    let types = reader.event_types();
    let types = reader.required(wire::EVENT_TYPES, types);
    reader.finish()?;
    url.zip(types).ok_or_else(|| Error::internal("a field was lost although none was refused").into())
}

fn with_limit(error: Error, instance: &Instance) -> Refusal {
    match error.code {
        ErrorCode::LimitReached => {
            Refusal::with(error, Details::LimitReached { limit: instance.webhooks_max })
        }
        _ => error.into(),
    }
}
