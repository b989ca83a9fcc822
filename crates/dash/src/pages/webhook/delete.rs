//! Deleting a webhook: asked for with what will be lost, and done when its id was typed.

use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use maud::html;
use serde::Deserialize;
use signalpost_core::error::FieldError;
use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::Webhook;
use signalpost_engine::{Engine, View};

use super::pending::Pending;
use super::rules::{check_feature, check_switching};
use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    id: String,
}

pub(crate) async fn show(visit: Visit, Path((workspace, webhook)): Path<(String, String)>) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    ask(&visit, engine, &view, &webhook, &[]).await
}

pub(crate) async fn delete(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Confirmed { id }): Posted<Confirmed>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    if id.trim() != webhook {
        let webhook = engine.webhook(view.workspace.id, &webhook).await?;
        let error =
            FieldError { field: "id".to_owned(), message: "is not the id of this webhook".to_owned() };
        return ask(&visit, engine, &view, &webhook, &[error]).await;
    }
    let deed = Deed { action: "webhook.delete", object: &webhook, workspace: Some(&workspace) };
    let by = visit.who.principal();
    visit.on_record(deed, engine.delete_webhook(&view, &webhook, &by)).await?;
    Ok(Redirect::to(&visit.paths.workspace(&workspace)).into_response())
}

async fn ask(visit: &Visit, engine: &Engine, view: &View, webhook: &Webhook, errors: &[FieldError]) -> Page {
    let pending = Pending::of(engine, webhook).await?.subject();
    let workspace = &view.workspace.public_id;
    let field =
        Field { name: "id", label: "To go on, type the id of the webhook", hint: &webhook.public_id, errors };
    let content = html! {
        h1 { "Delete this webhook?" }
        p.url { (webhook.url) }
        p { "Nothing is sent to it any more, its secrets are wiped, and it does not come back. " strong { (pending) } " dropped, on record." }
        @if let Some(instead) = instead(view) { p { (instead) } }
        (field::summary(errors))
        form.sheet method="post" action=(visit.paths.webhook_act(workspace, &webhook.public_id, "delete")) {
            (proof(visit))
            (field.wrap(&html! {
                input #f-id name="id" required autocomplete="off" spellcheck="false" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()];
            }))
            p { button.destructive { "Delete the webhook" } " " a href=(visit.paths.webhook(workspace, &webhook.public_id)) { "Keep it" } }
        }
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page_with(
        status,
        visit,
        "Delete a webhook",
        &visit.paths.to_webhook(view, &webhook.public_id),
        &content,
    ))
}

/// What is less than deleting it, where there is such a thing.
fn instead(view: &View) -> Option<&'static str> {
    check_switching(view).ok()?;
    Some(match view.profile.pause {
        PauseRule::Holds => {
            "To have it rest for a while, switch it off instead: what is pending waits until it is on again."
        }
        PauseRule::Drops => {
            "Switched off instead, it drops the same, keeps its id and its secret, and can be switched on again."
        }
    })
}
