//! `update_webhook`: what the customer may change, and the switch. A change for fan-out, whatever it changes.

use rusqlite::params;
use signalpost_core::webhook::{Webhook, WebhookState};
use signalpost_store::StoreError;
use signalpost_store::catalog::{Switch, UpdateWebhook};

use super::create_webhook::{disabled_columns, events_column};
use super::{disable, find};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE webhook
    SET name = ?2, url = ?3, events = ?4, subject = ?5, disabled_at = ?6, disable_reason = ?7,
        consecutive_failures = ?8, updated_at = ?9
    WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, params: &UpdateWebhook) -> Result<Webhook, Failure> {
    let UpdateWebhook { workspace, webhook: id, at, .. } = *params;
    let found = find::webhook(write.connection, workspace, id)?;
    let mut webhook = found.ok_or(StoreError::Missing("webhook"))?;
    change(&mut webhook, params);
    write.bump_version(workspace)?;
    store(write, &webhook)?;
    if let (Some(Switch::Disable(reason)), WebhookState::Active) = (params.switch, webhook.state) {
        disable::disable(write, workspace, id, at, reason)?;
        webhook.state = WebhookState::Disabled { at, reason };
    }
    Ok(webhook)
}

/// Everything but disabling, which also writes a cut.
fn change(webhook: &mut Webhook, params: &UpdateWebhook) {
    if let Some(name) = &params.name {
        webhook.name = Some(name.clone());
    }
    if let Some(url) = &params.url {
        webhook.url.clone_from(url);
    }
    if let Some(events) = &params.events {
        webhook.events.clone_from(events);
    }
    if let Some(subject) = &params.subject {
        webhook.subject.clone_from(subject);
    }
    if params.switch == Some(Switch::Enable) && !webhook.state.is_active() {
        webhook.state = WebhookState::Active;
        webhook.consecutive_failures = 0;
    }
    webhook.updated_at = params.at;
}

fn store(write: &Write<'_>, webhook: &Webhook) -> Result<(), Failure> {
    let (disabled_at, reason) = disabled_columns(webhook.state);
    write.statement(UPDATE)?.execute(params![
        webhook.id.raw(),
        webhook.name,
        webhook.url,
        events_column(&webhook.events),
        webhook.subject,
        disabled_at,
        reason,
        webhook.consecutive_failures,
        webhook.updated_at.as_ms(),
    ])?;
    Ok(())
}
