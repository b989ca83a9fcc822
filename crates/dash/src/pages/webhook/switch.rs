//! Switching a webhook off, and on again. Where that drops what is pending, it is told first how much.

use axum::response::{IntoResponse, Redirect};
use maud::html;
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::Webhook;
use signalpost_engine::View;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use super::pending::Pending;
use super::rules::check_switching;
use crate::look::frame::{page, proof};
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// `on` or `off`.
    to: String,
    /// There once somebody has read what will be dropped.
    drop: Option<String>,
}

pub(crate) async fn switch(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, wanted): Posted<Wanted>,
) -> Page {
    visit.must_manage_webhooks()?;
    let (action, activity) = match wanted.to.as_str() {
        "on" => ("webhook.enable", Activity::Active),
        "off" => ("webhook.disable", Activity::Paused),
        _ => return Err(Error::field("to", "must be on or off").into()),
    };
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_switching(&view)?;
    if activity == Activity::Paused && view.profile.pause == PauseRule::Drops && wanted.drop.is_none() {
        let webhook = engine.webhook(view.workspace.id, &webhook).await?;
        let pending = Pending::of(engine, &webhook).await?;
        if !pending.is_none() {
            return Ok(ask(&visit, &view, &webhook, pending));
        }
    }
    let deed = Deed { action, object: &webhook, workspace: Some(&workspace) };
    let change = WebhookChange { active: Some(activity), ..WebhookChange::default() };
    visit.on_record(deed, engine.update_webhook(&view, &webhook, change)).await?;
    Ok(Redirect::to(&visit.paths.webhook(&workspace, &webhook)).into_response())
}

fn ask(visit: &Visit, view: &View, webhook: &Webhook, pending: Pending) -> axum::response::Response {
    let workspace = &view.workspace.public_id;
    let content = html! {
        h1 { "Switch this webhook off?" }
        p.url { (webhook.url) }
        p { strong { (pending.subject()) } " dropped, on record, and events go past it until it is on again." }
        form method="post" action=(visit.paths.webhook_act(workspace, &webhook.public_id, "switch")) {
            (proof(visit))
            input type="hidden" name="to" value="off";
            input type="hidden" name="drop" value="yes";
            p { button.destructive { "Drop and switch off" } " " a href=(visit.paths.webhook(workspace, &webhook.public_id)) { "Leave it on" } }
        }
    };
    page(visit, "Switch a webhook off", &visit.paths.to_webhook(view, &webhook.public_id), &content)
}
