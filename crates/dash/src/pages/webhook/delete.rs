//! Deleting a webhook: asked for with what will be lost, and done when its id was typed.

use axum::response::{IntoResponse, Redirect};
use maud::html;
use serde::Deserialize;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::{Error, FieldError};
use signalpost_core::webhook::Webhook;
use signalpost_engine::{Engine, ListDeliveries, View};

use super::rules::check_feature;
use crate::look::field::{self, Field};
use crate::look::frame::{page, proof};
use crate::look::numbers;
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

/// Pending deliveries that are counted.
const COUNTED_MAX: usize = 1_000;

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
    let pending = pending(engine, webhook).await?;
    let workspace = &view.workspace.public_id;
    let field =
        Field { name: "id", label: "To go on, type the id of the webhook", hint: &webhook.public_id, errors };
    let content = html! {
        h1 { "Delete this webhook?" }
        p.url { (webhook.url) }
        p { "Nothing is sent to it any more, its secrets are wiped, and it does not come back. " strong { (pending) } " dropped, on record." }
        p { "To have it rest for a while, switch it off instead." }
        (field::summary(errors))
        form.sheet method="post" action=(visit.paths.webhook_act(workspace, &webhook.public_id, "delete")) {
            (proof(visit))
            (field.wrap(&html! {
                input #f-id name="id" required autocomplete="off" spellcheck="false" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()];
            }))
            p { button.destructive { "Delete the webhook" } " " a href=(visit.paths.webhook(workspace, &webhook.public_id)) { "Keep it" } }
        }
    };
    Ok(page(visit, "Delete a webhook", &visit.paths.to_webhook(view, &webhook.public_id), &content))
}

/// How many deliveries will be dropped, in words.
async fn pending(engine: &Engine, webhook: &Webhook) -> Result<String, Error> {
    let wanted = ListDeliveries {
        workspace: webhook.workspace,
        webhook: Some(webhook.id),
        event: None,
        status: Some(DeliveryStatus::Pending),
        before: None,
        limit: COUNTED_MAX,
    };
    let found = engine.list_deliveries(wanted).await?;
    let count = found.rows.len();
    let count = numbers::count(count as u64);
    Ok(match (count.as_str(), found.next) {
        ("1", None) => "1 delivery that is pending is".to_owned(),
        (count, None) => format!("{count} deliveries that are pending are"),
        (count, Some(_)) => format!("At least {count} deliveries that are pending are"),
    })
}
