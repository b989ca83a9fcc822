//! `GET /webhooks/{webhookId}`.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use signalpost_engine::credentials::Caller;

use super::{Shared, convert};
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn get(
    State(surface): Shared,
    Extension(caller): Extension<Caller>,
    Ids([webhook]): Ids<1>,
) -> Answer {
    let workspace = &caller.view.workspace;
    let webhook = surface.engine.webhook(workspace.id, &webhook).await?;
    reply::json(StatusCode::OK, &convert::webhook(&workspace.public_id, webhook, None, &surface.instance))
}
