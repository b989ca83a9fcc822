//! What a webhook is signed with: shown on demand, replaced, and the ones before it revoked. Each is on record.

use std::time::Duration;

use axum::response::{IntoResponse, Redirect};
use maud::html;
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::SigningRule;
use signalpost_core::secret::Secret;
use signalpost_engine::secrets::Rotation;
use signalpost_engine::webhooks::WebhookChange;
use signalpost_engine::{Engine, View};

use super::rules::{check_changes, check_secret};
use super::signing::{self, key_of};
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
    let secret = match view.profile.signing {
        SigningRule::OwnSecret => {
            let deed = Deed { action: "webhook_secret.view", object: &webhook, workspace: Some(&workspace) };
            visit.on_record(deed, engine.reveal_secret(&view, &webhook)).await?
        }
        SigningRule::SharedKeys { .. } => reveal_key(&visit, engine, &view, &webhook).await?,
    };
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
    if view.profile.signing != SigningRule::OwnSecret {
        let secret = sign_with_new_key(&visit, engine, &view, &webhook).await?;
        return shown(&visit, &view, &webhook, &secret);
    }
    let rotation = Rotation { overlap: overlap(&view, &overlap_s)?, secret: None };
    let deed = Deed { action: "webhook_secret.rotate", object: &webhook, workspace: Some(&workspace) };
    let rotate = async { Ok(engine.rotate_secret(&view, &webhook, rotation, None).await?.now()) };
    let rotated = visit.on_record(deed, rotate).await?;
    let rotated = rotated.ok_or_else(|| Error::internal("a call without a key was answered before"))?;
    shown(&visit, &view, &webhook, &rotated.secret)
}

async fn reveal_key(visit: &Visit, engine: &Engine, view: &View, webhook: &str) -> Result<Secret, Error> {
    let webhook = engine.webhook(view.workspace.id, webhook).await?;
    let unsigned = || Error::new(ErrorCode::Conflict, "this webhook refers to no signing key");
    let key = key_of(engine, &webhook).await?.ok_or_else(unsigned)?;
    let workspace = Some(view.workspace.public_id.as_str());
    let deed = Deed { action: "signing_key.view", object: &key.public_id, workspace };
    visit.on_record(deed, async { engine.reveal_signing_key(&key) }).await
}

/// As the contracts that have such keys replace one: make another, and let the webhook refer to it.
async fn sign_with_new_key(
    visit: &Visit,
    engine: &Engine,
    view: &View,
    webhook: &str,
) -> Result<Secret, Error> {
    check_changes(view)?;
    engine.webhook(view.workspace.id, webhook).await?;
    let workspace = Some(view.workspace.public_id.as_str());
    let deed = Deed { action: "signing_key.create", object: webhook, workspace };
    let key = visit.on_record(deed, engine.create_signing_key(view)).await?;
    let secret = engine.reveal_signing_key(&key)?;
    let change = WebhookChange { signing_key: Some(Some(key.public_id)), ..WebhookChange::default() };
    let deed = Deed { action: "webhook.update", object: webhook, workspace };
    visit.on_record(deed, engine.update_webhook(view, webhook, change)).await?;
    Ok(secret)
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
