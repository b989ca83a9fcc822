//! `GET /webhooks/{webhookId}`.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use signalpost_engine::credentials::Caller;

use super::{Shared, convert, details};
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn get(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([id]): Ids<1>,
) -> Answer {
    let instance = &surface.instance;
    let webhook = surface.engine.webhook(caller.view.workspace.id, &id).await;
    let webhook = webhook.map_err(details::of_webhook(instance, &id))?;
    reply::json(StatusCode::OK, &convert::named(webhook, instance))
}
