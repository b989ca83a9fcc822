//! `GET get-webhook`: by its id alone, so the webhook is found before the right on its chain is judged.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::View;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right};
use super::convert::Chain;
use super::read::Reader;
use super::{Shared, Surface, profile, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "get-webhook";

pub(super) async fn get(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let mut reader = Reader::of(request, &surface).await?;
    let id = reader.id(wire::ID);
    reader.finish()?;
    let id = id.ok_or_else(|| Error::internal("a parameter was lost although none was refused"))?;
    let owner = owner(&surface, &id).await?;
    let view = auth::visit(&surface, &visitor, &owner.workspace.public_id, Right::Read).await?;
    let webhook = match surface.engine.webhook(view.workspace.id, &id).await {
        Ok(webhook) => webhook,
        Err(error) => return Err(auth::gone(&surface, &visitor, &view, Right::Read, error, missing).await),
    };
    let chain = Chain::of(&surface, &view, std::slice::from_ref(&webhook)).await?;
    let results = wire::OneWebhook { webhook: chain.webhook(webhook)?, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

/// Refused unless there is such a webhook, and it is of this chain.
pub(super) async fn check_chain(surface: &Surface, view: &View, id: &str) -> Result<(), Refusal> {
    if owner(surface, id).await?.workspace.id == view.workspace.id {
        return Ok(());
    }
    let message = format!("{}: the webhook does not belong to the specified chain", wire::CHAIN_ID);
    Err(Refusal::with(Error::new(ErrorCode::Invalid, message), profile::ENTITY_MISMATCH))
}

/// Says that it is a webhook that does not exist, if that is what went wrong.
pub(super) fn missing(error: Error) -> Refusal {
    match error.code {
        ErrorCode::NotFound => {
            let message = format!("{}: no webhook found for the specified ID", wire::ID);
            Refusal::with(Error::new(ErrorCode::NotFound, message), profile::WEBHOOK_NOT_FOUND)
        }
        _ => error.into(),
    }
}

async fn owner(surface: &Surface, id: &str) -> Result<Arc<View>, Refusal> {
    surface.engine.webhook_owner(&surface.instance.name, id).await.map_err(missing)
}
