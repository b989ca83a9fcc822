//! What a webhook is signed with, on its page: shown on demand, and replaced.

use maud::{Markup, html};
use signalpost_core::webhook::Webhook;
use signalpost_engine::View;

use super::rules::check_secret;
use crate::look::frame::proof;
use crate::look::time::moment;
use crate::visit::Visit;

/// Whether a request carries the signatures of several secrets, so that one before the newest can sign as well.
pub(super) fn overlaps(view: &View) -> bool {
    view.profile.delivery.signature.separator.is_some()
}

/// Of webhooks that have a secret of their own.
pub(super) fn section(visit: &Visit, view: &View, webhook: &Webhook) -> Markup {
    if !visit.who.manages_webhooks() || check_secret(visit, view).is_err() || webhook.secret.is_none() {
        return html! {};
    }
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
