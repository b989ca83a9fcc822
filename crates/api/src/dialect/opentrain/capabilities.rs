//! `GET /job-drafts/capabilities`: whether webhooks are switched on for the account. Any token may ask.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use signalpost_engine::credentials::Caller;

use super::{Shared, auth, wire};
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn capabilities(State(surface): Shared, Extension(caller): Extension<Caller>) -> Answer {
    let webhooks = auth::has_webhooks(&caller, &surface.instance);
    reply::json(StatusCode::OK, &wire::Capabilities { capabilities: wire::Capability { webhooks } })
}
