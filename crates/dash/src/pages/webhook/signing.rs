//! What a webhook is signed with, on its page: shown on demand, and replaced.

use maud::{Markup, html};
use signalpost_core::error::Error;
use signalpost_core::profile::SigningRule;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::webhook::Webhook;
use signalpost_engine::{Engine, View};

use super::rules::check_secret;
use crate::look::frame::proof;
use crate::look::id;
use crate::look::time::moment;
use crate::visit::Visit;

/// Whether a request carries the signatures of several secrets, so that one before the newest can sign as well.
pub(super) fn overlaps(view: &View) -> bool {
    view.profile.delivery.signature.separator.is_some()
}

/// The key of the workspace that a webhook refers to, and that is still there.
pub(super) async fn key_of(engine: &Engine, webhook: &Webhook) -> Result<Option<SigningKey>, Error> {
    let Some(id) = webhook.signing_key else { return Ok(None) };
    let keys = engine.list_signing_keys(webhook.workspace).await?;
    Ok(keys.into_iter().find(|key| key.id == id))
}

/// What signs it, where that is not a secret of its own.
pub(super) fn fact(view: &View, key: Option<&SigningKey>) -> Markup {
    if view.profile.signing == SigningRule::OwnSecret {
        return html! {};
    }
    html! {
        div { dt { "Signed with" } dd { @if let Some(key) = key { "key " (id::copied(&key.public_id)) } @else { "nothing" } } }
    }
}

/// For who may see what signs, and replace it.
pub(super) fn section(visit: &Visit, view: &View, webhook: &Webhook, key: Option<&SigningKey>) -> Markup {
    if !visit.who.manages_webhooks() || check_secret(visit, view).is_err() {
        return html! {};
    }
    match view.profile.signing {
        SigningRule::OwnSecret => of_own_secret(visit, view, webhook),
        SigningRule::SharedKeys { .. } => of_key(visit, view, webhook, key),
    }
}

/// Another key takes the place of the one before at once, which stays: other webhooks may refer to it.
fn of_key(visit: &Visit, view: &View, webhook: &Webhook, key: Option<&SigningKey>) -> Markup {
    let at = |act: &str| visit.paths.webhook_act(&view.workspace.public_id, &webhook.public_id, act);
    html! {
        h2 { "Signing key" }
        @if key.is_none() {
            p { "Requests are not signed, so their receiver cannot tell them from what others send to the same address." }
        }
        div.line {
            @if key.is_some() { form method="post" action=(at("secret")) { (proof(visit)) button.quiet { "Show it" } } }
            form method="post" action=(at("secret/rotate")) {
                (proof(visit))
                button.quiet { @if key.is_some() { "Sign with a new one" } @else { "Sign with a new key" } }
            }
        }
        @if key.is_some() {
            p { "A key signs for all webhooks that refer to it. One that is replaced here stays for the others; the receiver of this webhook must take the new one at once." }
        }
        p.muted { "Each of these goes on record." }
    }
}

fn of_own_secret(visit: &Visit, view: &View, webhook: &Webhook) -> Markup {
    let at = |act: &str| visit.paths.webhook_act(&view.workspace.public_id, &webhook.public_id, act);
    html! {
        h2 { "Secret" }
        @if overlaps(view) { (previous(visit, webhook, &at("secret/revoke-previous"))) }
        div.line {
            form method="post" action=(at("secret")) { (proof(visit)) button.quiet { "Show it" } }
            form.line method="post" action=(at("secret/rotate")) {
                (proof(visit))
                @if overlaps(view) { (overlap()) }
                button.quiet { "Replace it" }
            }
        }
        @if !overlaps(view) {
            p { "A request carries one signature: once it is replaced, the receiver must take the new one at once." }
        }
        p.muted { "Each of these goes on record." }
    }
}

fn overlap() -> Markup {
    html! {
        label { "The old one signs as well for "
            select name="overlap_s" {
                option value="86400" { "a day" } option value="3600" { "an hour" } option value="0" { "no time" }
            }
        }
    }
}

/// Those that sign still.
fn previous(visit: &Visit, webhook: &Webhook, revoke: &str) -> Markup {
    let expiries = webhook.previous_secrets.iter().map(|one| one.expires_at);
    let living: Vec<_> = expiries.filter(|expires_at| *expires_at > visit.now).collect();
    html! {
        @for expires_at in &living {
            p { "One before it signs as well, until " (moment(*expires_at, visit.now)) "." }
        }
        @if !living.is_empty() {
            form method="post" action=(revoke) { (proof(visit)) button.quiet { "Revoke the old ones" } }
        }
    }
}
