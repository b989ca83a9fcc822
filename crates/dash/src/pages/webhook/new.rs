//! Making a webhook.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use maud::html;
use signalpost_core::error::{Error, FieldError};
use signalpost_engine::{Engine, View};

use super::fields::{Filled, check_feature};
use super::form::{Form, shown_on_form, signing_keys};
use crate::look::frame::page_with;
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

pub(crate) async fn show(visit: Visit, Path(workspace): Path<String>) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    form(&visit, engine, &view, &Filled::default(), &[]).await
}

pub(crate) async fn create(
    Path(workspace): Path<String>,
    Posted(visit, fields): Posted<BTreeMap<String, String>>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let filled = Filled::new(fields);
    let deed = Deed { action: "webhook.create", object: filled.text("url"), workspace: Some(&workspace) };
    let made = match filled.new_webhook(&view, &visit.desk.opened) {
        Ok(new) => {
            let create = async { Ok(engine.create_webhook(&view, new, None).await?.now()) };
            visit.on_record(deed, create).await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(Some(issued)) => {
            let own = visit.paths.webhook(&workspace, &issued.webhook.public_id);
            Ok(Redirect::to(&own).into_response())
        }
        Ok(None) => Err(Error::internal("a call without a key was answered before").into()),
        Err(error) => form(&visit, engine, &view, &filled, &shown_on_form(error)?).await,
    }
}

async fn form(visit: &Visit, engine: &Engine, view: &View, filled: &Filled, errors: &[FieldError]) -> Page {
    let action = visit.paths.new_webhook(&view.workspace.public_id);
    let keys = signing_keys(engine, view).await?;
    let form = Form { visit, view, filled, action: &action, verb: "Make the webhook", keys: &keys };
    let content = html! { h1 { "New webhook" } (form.render(errors)) };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page_with(status, visit, "New webhook", &visit.paths.to_workspace(view), &content))
}
