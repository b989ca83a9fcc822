//! `DELETE delete-webhook`: the webhook as it was, and who deleted it. Its signature stays.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_engine::sessions::Visitor;

use super::auth::{self, Right, principal};
use super::read::Reader;
use super::{Shared, Surface, convert, get, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "delete-webhook";

pub(super) async fn delete(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let deleted = delete_found(&surface, &visitor, request).await;
    auth::refused_everywhere(&surface, deleted).await
}

async fn delete_found(surface: &Surface, visitor: &Visitor, request: Request) -> Answer {
    let (id, chain) = read(Reader::of(request, surface).await?)?;
    let view = auth::visit(surface, visitor, &chain, Right::Write).await?;
    get::check_chain(surface, &view, &id).await?;
    let engine = &surface.engine;
    // It is opened before it goes: nothing fails any more once it is gone.
    let webhook = engine.webhook(view.workspace.id, &id).await.map_err(get::missing)?;
    let webhook = convert::leaving(surface, webhook, &visitor.user)?;
    let deleted = match engine.delete_webhook(&view, &id, &principal(visitor)).await {
        Ok(deleted) => deleted,
        Err(error) => {
            return Err(auth::gone(surface, visitor, &view, Right::Write, error, get::missing).await);
        }
    };
    let webhook = wire::Webhook { last_modified_date: convert::date(deleted.updated_at), ..webhook };
    let results = wire::OneWebhook { webhook, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

fn read(mut reader: Reader<'_>) -> Result<(String, String), Refusal> {
    let (id, chain) = (reader.id(wire::ID), reader.id(wire::CHAIN_ID));
    reader.finish()?;
    id.zip(chain).ok_or_else(|| Error::internal("a parameter was lost although none was refused").into())
}
