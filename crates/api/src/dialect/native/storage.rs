//! `/v1/storage`: what the whole store takes, and the rules that keep it so.

use axum::extract::State;
use http::StatusCode;

use super::{Shared, convert};
use crate::kit::refusal::Answer;
use crate::kit::reply;

pub(super) async fn get(State(surface): Shared) -> Answer {
    let storage = surface.engine.storage().await?;
    reply::json(StatusCode::OK, &convert::storage(&storage, surface.engine.retention()))
}
