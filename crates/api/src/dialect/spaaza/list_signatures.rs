//! `GET get-webhook-signatures`: all of a chain, in the order of their ids. Those that were deleted are none, and all
//! others are active.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right};
use super::convert::{self, Presence};
use super::read::Reader;
use super::{Shared, list, wire};
use crate::kit::refusal::Answer;
use crate::kit::reply;

const CALL: &str = "get-webhook-signatures";

pub(super) async fn list_signatures(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let wanted = list::read(Reader::of(request, &surface).await?)?;
    let view = auth::visit(&surface, &visitor, &wanted.chain, Right::Read).await?;
    let engine = &surface.engine;
    let keys = engine.list_signing_keys(view.workspace.id).await?;
    let shown: Result<Vec<_>, Error> =
        keys.iter().map(|key| convert::signature(engine, &view, key, Presence::Alive)).collect();
    let mut webhook_signatures = shown?;
    webhook_signatures.sort_unstable_by_key(|signature| signature.id);
    let results = wire::Signatures { webhook_signatures, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}
