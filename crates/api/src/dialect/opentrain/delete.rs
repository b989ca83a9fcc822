//! `DELETE /webhooks/{webhookId}`: the webhook as it was until then; the second time 404.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use signalpost_engine::credentials::Caller;

use super::{Shared, convert, details, wire};
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn delete(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([id]): Ids<1>,
) -> Answer {
    let instance = &surface.instance;
    let deleted = surface.engine.delete_webhook(&caller.view, &id, &caller.principal()).await;
    let deleted = deleted.map_err(details::of_webhook(instance, &id))?;
    reply::json(StatusCode::OK, &wire::Deleted { webhook: convert::named(deleted, instance), deleted: true })
}
