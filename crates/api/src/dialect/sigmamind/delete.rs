//! `DELETE /webhooks/{webhookId}`: 204 without a body; the second time 404.

use axum::Extension;
use axum::extract::State;
use signalpost_engine::credentials::Caller;

use super::Shared;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn delete(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([webhook]): Ids<1>,
) -> Answer {
    surface.engine.delete_webhook(&caller.view, &webhook, &caller.principal()).await?;
    Ok(reply::no_content())
}
