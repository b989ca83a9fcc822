//! Sending what was held for a webhook that the engine has paused, before its receiver answers a probe.

use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::health::ReleaseOrder;

use super::rules::check_feature;
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Posted;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    order: String,
}

pub(crate) async fn release(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Wanted { order }): Posted<Wanted>,
) -> Page {
    visit.must_act()?;
    let unknown = || Error::field("order", "must be oldest_first, newest_first or skip");
    let order = ReleaseOrder::ALL.into_iter().find(|known| known.name() == order).ok_or_else(unknown)?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let deed = Deed { action: "webhook.release", object: &webhook, workspace: Some(&workspace) };
    visit.on_record(deed, engine.release_webhook(&view, &webhook, Some(order))).await?;
    Ok(Redirect::to(&visit.paths.webhook(&workspace, &webhook)).into_response())
}
