//! Changing a webhook.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use maud::html;
use signalpost_core::error::FieldError;
use signalpost_core::webhook::Webhook;
use signalpost_engine::{Engine, View};

use super::fields::Filled;
use super::form::{Form, Purpose, shown_on_form, signing_keys};
use super::rules::check_changes;
use super::signing::key_of;
use crate::look::frame::page_with;
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

pub(crate) async fn show(visit: Visit, Path((workspace, webhook)): Path<(String, String)>) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_changes(&view)?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    let key = key_of(engine, &webhook).await?.map(|key| key.public_id);
    let filled = Filled::of(&webhook, key);
    form(&visit, engine, &view, &webhook, &filled, &[]).await
}

pub(crate) async fn update(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, fields): Posted<BTreeMap<String, String>>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_changes(&view)?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    let id = &webhook.public_id;
    let filled = Filled::new(fields);
    let deed = Deed { action: "webhook.update", object: id, workspace: Some(&workspace) };
    let changed = match filled.change(&view, &visit.desk.opened) {
        Ok(change) => visit.on_record(deed, engine.update_webhook(&view, id, change)).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(_) => Ok(Redirect::to(&visit.paths.webhook(&workspace, id)).into_response()),
        Err(error) => form(&visit, engine, &view, &webhook, &filled, &shown_on_form(error)?).await,
    }
}

async fn form(
    visit: &Visit,
    engine: &Engine,
    view: &View,
    webhook: &Webhook,
    filled: &Filled,
    errors: &[FieldError],
) -> Page {
    let action = visit.paths.webhook_act(&view.workspace.public_id, &webhook.public_id, "edit");
    let keys = signing_keys(engine, view).await?;
    let form = Form { visit, view, filled, action: &action, purpose: Purpose::Change, keys: &keys };
    let content = html! {
        h1 { "Change the webhook" }
        (form.render(errors))
        p.muted { "Attempts that start after this is answered go by what is saved here." }
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let crumbs = visit.paths.to_webhook(view, &webhook.public_id);
    Ok(page_with(status, visit, "Change the webhook", &crumbs, &content))
}
