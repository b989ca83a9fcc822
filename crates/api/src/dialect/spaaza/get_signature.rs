//! `GET get-webhook-signature`: by its id alone, so the signature is found before the right on its chain is judged.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::View;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right};
use super::convert::{self, Opened, Presence};
use super::read::Reader;
use super::{Shared, Surface, profile, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "get-webhook-signature";

pub(super) async fn get_signature(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let id = read(Reader::of(request, &surface).await?)?;
    let owner = owner(&surface, wire::ID, &id).await?;
    let view = auth::visit(&surface, &visitor, &owner.workspace.public_id, Right::Read).await?;
    let key = match surface.engine.signing_key(view.workspace.id, &id).await {
        Ok(key) => key,
        Err(error) => {
            let missing = |error| missing(wire::ID, error);
            return Err(auth::gone(&surface, &visitor, &view, Right::Read, error, missing).await);
        }
    };
    let webhook_signature = convert::signature(&surface.engine, &view, &key, Presence::Alive)?;
    let results = wire::OneSignature { webhook_signature, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

/// The id of the signature that a call is about.
pub(super) fn read(mut reader: Reader<'_>) -> Result<String, Refusal> {
    let id = reader.id(wire::ID);
    reader.finish()?;
    id.ok_or_else(|| Error::internal("a parameter was lost although none was refused").into())
}

/// The signature that a webhook is to have, opened before anything is changed. Refused unless it exists, and is of this
/// chain.
pub(super) async fn check_signature(surface: &Surface, view: &View, id: &str) -> Result<Opened, Refusal> {
    if owner(surface, wire::SIGNATURE_ID, id).await?.workspace.id != view.workspace.id {
        let message = format!("{}: the signature does not belong to the specified chain", wire::SIGNATURE_ID);
        return Err(Refusal::with(Error::new(ErrorCode::Invalid, message), profile::ENTITY_MISMATCH));
    }
    let key = surface.engine.signing_key(view.workspace.id, id).await;
    let key = key.map_err(|error| missing(wire::SIGNATURE_ID, error))?;
    let shown = convert::signature(&surface.engine, view, &key, Presence::Alive)?;
    Ok(Opened { id: key.id, shown })
}

/// The chain of a signature that a parameter names.
pub(super) async fn owner(surface: &Surface, parameter: &str, id: &str) -> Result<Arc<View>, Refusal> {
    let owner = surface.engine.signing_key_owner(&surface.instance.name, id).await;
    owner.map_err(|error| missing(parameter, error))
}

/// Says that it is a signature that does not exist, if that is what went wrong.
pub(super) fn missing(parameter: &str, error: Error) -> Refusal {
    match error.code {
        ErrorCode::NotFound => {
            let message = format!("{parameter}: no webhook signature found for the specified ID");
            Refusal::with(Error::new(ErrorCode::NotFound, message), profile::SIGNATURE_NOT_FOUND)
        }
        _ => error.into(),
    }
}
