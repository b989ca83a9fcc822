//! `GET get-webhooks`: all of a chain, in the order of their ids. The vendor knows no pages.

use axum::Extension;
use axum::extract::{Request, State};
use http::StatusCode;
use signalpost_core::error::Error;
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_core::webhook::Webhook;
use signalpost_engine::sessions::Visitor;
use signalpost_engine::{ListWebhooks, View};

use super::auth::{self, Right};
use super::convert::{Chain, number};
use super::read::Reader;
use super::{Shared, Surface, wire};
use crate::kit::refusal::{Answer, Refusal};
use crate::kit::reply;

const CALL: &str = "get-webhooks";

pub(super) async fn list(
    State(surface): Shared,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Answer {
    let Wanted { chain, active } = read(Reader::of(request, &surface).await?)?;
    let view = auth::visit(&surface, &visitor, &chain, Right::Read).await?;
    let found = all(&surface, &view, active).await?;
    let chain = Chain::of(&surface, &view, &found).await?;
    let webhooks: Result<Vec<_>, Error> = found.into_iter().map(|webhook| chain.webhook(webhook)).collect();
    let results = wire::Webhooks { webhooks: webhooks?, result_type: CALL };
    reply::json_once(StatusCode::OK, &wire::Done::with(results))
}

/// What both lists are asked for.
pub(super) struct Wanted {
    pub(super) chain: String,
    /// Only those that are active, or any.
    pub(super) active: Option<bool>,
}

pub(super) fn read(mut reader: Reader<'_>) -> Result<Wanted, Refusal> {
    let chain = reader.id(wire::CHAIN_ID);
    let exclude_inactive = reader.truth(wire::EXCLUDE_INACTIVE).unwrap_or(false);
    reader.finish()?;
    let chain = chain.ok_or_else(|| Error::internal("a parameter was lost although none was refused"))?;
    Ok(Wanted { chain, active: exclude_inactive.then_some(true) })
}

/// Page by page, for the store knows them.
async fn all(surface: &Surface, view: &View, active: Option<bool>) -> Result<Vec<Webhook>, Error> {
    let mut found: Vec<(u64, Webhook)> = Vec::new();
    loop {
        let before = found.last().map(|(_, webhook)| webhook.id);
        let workspace = view.workspace.id;
        let wanted =
            ListWebhooks { workspace, subject: None, active, before, offset: 0, limit: PAGE_ROWS_MAX };
        let rows = surface.engine.list_webhooks(wanted).await?.rows;
        let is_last = rows.len() < PAGE_ROWS_MAX;
        for webhook in rows {
            found.push((number(&webhook.public_id)?, webhook));
        }
        if is_last {
            // Not the order in which they were made: of two that are made at once either may get the lower id.
            found.sort_unstable_by_key(|(id, _)| *id);
            return Ok(found.into_iter().map(|(_, webhook)| webhook).collect());
        }
    }
}
