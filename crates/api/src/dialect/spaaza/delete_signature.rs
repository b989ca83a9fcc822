//! `DELETE delete-webhook-signature`: webhooks that had it go on, unsigned from now on.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right, principal};
use super::convert::{self, Presence};
use super::get_signature::{missing, owner, read};
use super::read::Reader;
use super::{Shared, Surface, wire};
use crate::kit::refusal::Answer;
use crate::kit::reply;

const CALL: &str = "delete-webhook-signature";

pub(super) async fn delete_signature(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let deleted = delete_found(&surface, &visitor, request).await;
    auth::refused_everywhere(&surface, deleted).await
}

async fn delete_found(surface: &Surface, visitor: &Visitor, request: Request) -> Answer {
    let id = read(Reader::of(request, surface).await?)?;
    let owner = owner(surface, wire::ID, &id).await?;
    let view = auth::visit(surface, visitor, &owner.workspace.public_id, Right::Delete).await?;
    let engine = &surface.engine;
    // It is opened before it goes: nothing fails any more once it is gone.
    let key = engine.signing_key(view.workspace.id, &id).await.map_err(|error| missing(wire::ID, error))?;
    let shown = convert::signature(engine, &view, &key, Presence::Deleted)?;
    let deleted = match engine.delete_signing_key(&view, &id, &principal(visitor)).await {
        Ok(deleted) => deleted,
        Err(error) => {
            let missing = |error| missing(wire::ID, error);
            return Err(auth::gone(surface, visitor, &view, Right::Delete, error, missing).await);
        }
    };
    let webhook_signature =
        wire::Signature { last_modified_date: convert::date(deleted.updated_at), ..shown };
    let results = wire::OneSignature { webhook_signature, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}
