//! `POST add-webhook-signature`: a new shared secret of a chain. Nobody chooses its value.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right};
use super::convert::{self, Presence};
use super::read::Reader;
use super::{Shared, profile, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "add-webhook-signature";

pub(super) async fn create_signature(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let mut reader = Reader::of(request, &surface).await?;
    let chain = reader.id(wire::CHAIN_ID);
    reader.finish()?;
    let chain = chain.ok_or_else(|| Error::internal("a parameter was lost although none was refused"))?;
    let view = auth::visit(&surface, &visitor, &chain, Right::Write).await?;
    let key = match surface.engine.create_signing_key(&view).await {
        Ok(key) => key,
        Err(error) => {
            let missing = |error| Refusal::with(error, profile::PERMISSION_DENIED);
            return Err(auth::gone(&surface, &visitor, &view, Right::Write, error, missing).await);
        }
    };
    let webhook_signature = convert::signature(&surface.engine, &view, &key, Presence::Alive)?;
    let results = wire::OneSignature { webhook_signature, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}
