//! Making a webhook.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use maud::html;
use signalpost_core::error::{Error, FieldError};
use signalpost_engine::webhooks::IssuedWebhook;
use signalpost_engine::{Engine, View};
use url::Url;

use super::fields::Filled;
use super::form::{Form, Purpose, shown_on_form, signing_keys};
use super::rules::{check_feature, is_seen_once};
use super::secret::shown_once;
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
    // The rest of an address may hold what its owner alone is to know, and the record outlives the webhook.
    let origin =
        Url::parse(filled.text("url")).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let deed = Deed { action: "webhook.create", object: &origin, workspace: Some(&workspace) };
    let made = match filled.new_webhook(&view, &visit.desk.opened) {
        Ok(new) => {
            let create = async { Ok(engine.create_webhook(&view, new, None).await?.now()) };
            visit.on_record(deed, create).await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(Some(IssuedWebhook { webhook, secret })) => match secret {
            Some(secret) if is_seen_once(&visit, &view) => {
                shown_once(&visit, &view, &webhook.public_id, &secret)
            }
            _ => {
                let own = visit.paths.webhook(&workspace, &webhook.public_id);
                Ok(Redirect::to(&own).into_response())
            }
        },
        Ok(None) => Err(Error::internal("a call without a key was answered before").into()),
        Err(error) => form(&visit, engine, &view, &filled, &shown_on_form(error)?).await,
    }
}

async fn form(visit: &Visit, engine: &Engine, view: &View, filled: &Filled, errors: &[FieldError]) -> Page {
    let action = visit.paths.new_webhook(&view.workspace.public_id);
    let keys = signing_keys(engine, view).await?;
    let form = Form { visit, view, filled, action: &action, purpose: Purpose::New, keys: &keys };
    let content = html! { h1 { "New webhook" } (form.render(errors)) };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page_with(status, visit, "New webhook", &visit.paths.to_workspace(view), &content))
}
