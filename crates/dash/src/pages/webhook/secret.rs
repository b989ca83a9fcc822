//! What a webhook is signed with: shown on demand, replaced, and the ones before it revoked. Each is on record.

use std::time::Duration;

use axum::response::{IntoResponse, Redirect};
use maud::html;
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::secret::Secret;
use signalpost_engine::View;
use signalpost_engine::secrets::Rotation;

use super::rules::check_secret;
use super::signing;
use crate::look::frame::page;
use crate::look::id;
use crate::on_record::Deed;
use crate::request::Path;
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    /// Seconds; forms of dialects whose requests carry one signature do not have it.
    #[serde(default)]
    overlap_s: String,
}

pub(crate) async fn reveal(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Nothing {}): Posted<Nothing>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_secret(&visit, &view)?;
    let deed = Deed { action: "webhook_secret.view", object: &webhook, workspace: Some(&workspace) };
    let secret = visit.on_record(deed, engine.reveal_secret(&view, &webhook)).await?;
    shown(&visit, &view, &webhook, &secret)
}

pub(crate) async fn rotate(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Wanted { overlap_s }): Posted<Wanted>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_secret(&visit, &view)?;
    let rotation = Rotation { overlap: overlap(&view, &overlap_s)?, secret: None };
    let deed = Deed { action: "webhook_secret.rotate", object: &webhook, workspace: Some(&workspace) };
    let rotate = async { Ok(engine.rotate_secret(&view, &webhook, rotation, None).await?.now()) };
    let rotated = visit.on_record(deed, rotate).await?;
    let rotated = rotated.ok_or_else(|| Error::internal("a call without a key was answered before"))?;
    shown(&visit, &view, &webhook, &rotated.secret)
}

fn overlap(view: &View, given: &str) -> Result<Duration, Error> {
    if signing::overlaps(view) {
        let wrong = |_| Error::field("overlap_s", "must be a number of seconds");
        return given.parse().map(Duration::from_secs).map_err(wrong);
    }
    match given {
        "" | "0" => Ok(Duration::ZERO),
        _ => Err(Error::field("overlap_s", "must be 0: a request of this dialect carries one signature")),
    }
}

pub(crate) async fn revoke_previous(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, Nothing {}): Posted<Nothing>,
) -> Page {
    visit.must_manage_webhooks()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_secret(&visit, &view)?;
    let deed =
        Deed { action: "webhook_previous_secrets.revoke", object: &webhook, workspace: Some(&workspace) };
    visit.on_record(deed, engine.revoke_previous_secrets(view.workspace.id, &webhook)).await?;
    Ok(Redirect::to(&visit.paths.webhook(&workspace, &webhook)).into_response())
}

fn shown(visit: &Visit, view: &View, webhook: &str, secret: &Secret) -> Page {
    told(visit, view, webhook, secret, "That it was seen is on record. The page is not kept by the browser.")
}

/// With a webhook that was made, to who does not see it again.
pub(super) fn shown_once(visit: &Visit, view: &View, webhook: &str, secret: &Secret) -> Page {
    let note =
        "It is shown this once: keep it now. Who has lost it makes another webhook and deletes this one.";
    told(visit, view, webhook, secret, note)
}

fn told(visit: &Visit, view: &View, webhook: &str, secret: &Secret, note: &str) -> Page {
    let content = html! {
        h1 { "Secret" }
        p { "Requests to " code { (webhook) } " are signed with it. Whoever has it can forge them." }
        p.secret { (id::copied(secret.expose_text())) }
        p.muted { (note) }
        p { a href=(visit.paths.webhook(&view.workspace.public_id, webhook)) { "To the webhook" } }
    };
    Ok(page(visit, "Secret", &visit.paths.to_webhook(view, webhook), &content))
}
