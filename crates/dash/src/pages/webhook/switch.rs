//! Switching a webhook off, and on again.

use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use super::rules::check_switching;
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Posted;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// `on` or `off`.
    to: String,
}

pub(crate) async fn switch(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Wanted { to }): Posted<Wanted>,
) -> Page {
    visit.must_manage_webhooks()?;
    let (action, activity) = match to.as_str() {
        "on" => ("webhook.enable", Activity::Active),
        "off" => ("webhook.disable", Activity::Paused),
        _ => return Err(Error::field("to", "must be on or off").into()),
    };
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_switching(&view)?;
    let deed = Deed { action, object: &webhook, workspace: Some(&workspace) };
    let change = WebhookChange { active: Some(activity), ..WebhookChange::default() };
    visit.on_record(deed, engine.update_webhook(&view, &webhook, change)).await?;
    Ok(Redirect::to(&visit.paths.webhook(&workspace, &webhook)).into_response())
}
