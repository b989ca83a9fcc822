//! `update_webhook`: what the customer may change, the secrets, and the switch. A change for fan-out, whatever it changes.

use rusqlite::params;
use signalpost_core::delivery::CutReason;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::webhook::{Webhook, WebhookState};
use signalpost_store::StoreError;
use signalpost_store::catalog::{Switch, UpdateWebhook};

use super::create_webhook::{check_filtered, check_reference};
use super::{disable, find};
use crate::failure::Failure;
use crate::ledger::unblock;
use crate::write::Write;
use signalpost_store::row::WebhookColumns;

pub(crate) const UPDATE: &str = "UPDATE webhook
    SET name = ?2, url = ?3, events = ?4, subject = ?5, disabled_at = ?6, disable_reason = ?7,
        consecutive_failures = ?8, updated_at = ?9, retry_schedule = ?10, timeout_ms = ?11, headers = ?12,
        secret = ?13, previous_secrets = ?14, secret_expires_at = ?15, filter = ?16, settled_after = ?17,
        login_user = ?18, login_password = ?19, signing_key = ?20, metadata = ?21,
        max_in_flight = ?22, rate_per_s = ?23, concurrency = ?24, ordered = ?25, on_exhausted = ?26,
        failing_since = ?27, held_since = ?28, probes = ?29, probe_at = ?30
    WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, params: &UpdateWebhook) -> Result<Webhook, Failure> {
    let UpdateWebhook { workspace, webhook: id, at, .. } = *params;
    let found = find::webhook(write.connection, workspace, id)?;
    let mut webhook = found.ok_or(StoreError::Missing("webhook"))?;
    let before = webhook.clone();
    check_reference(write.connection, workspace, params.signing_key.flatten())?;
    params.apply_to(&mut webhook)?;
    if webhook.filter.is_some() && before.filter.is_none() {
        check_filtered(write, workspace)?;
    }
    if !webhook.decides_like(&before) {
        webhook.settled_after = write.sequence(workspace)?;
    }
    write.bump_version(workspace)?;
    if let (Some(order), Some(_)) = (params.release, webhook.health.hold) {
        webhook.health = Health::default();
        if order == ReleaseOrder::Skip {
            let upto = write.sequence(workspace)?;
            write.cut(id, upto, at, CutReason::Skipped)?;
        }
    }
    store(write, &webhook)?;
    if let Some(Switch::Disable(reason)) = params.switch
        && webhook.state.gives_way_to(reason)
    {
        webhook.settled_after = disable::disable(write, workspace, id, at, reason)?;
        webhook.state = WebhookState::Disabled { at, reason };
    }
    if before.order.blocks() && !webhook.order.blocks() {
        unblock::begin(write, id)?;
    }
    Ok(webhook)
}

fn store(write: &Write<'_>, webhook: &Webhook) -> Result<(), Failure> {
    let columns = WebhookColumns::of(webhook);
    write.statement(UPDATE)?.execute(params![
        webhook.id.raw(),
        columns.name,
        columns.url,
        columns.events,
        columns.subject,
        columns.disabled_at,
        columns.disable_reason,
        columns.health.failures,
        columns.updated_at,
        columns.retry_schedule,
        columns.timeout_ms,
        columns.headers,
        columns.secret,
        columns.previous_secrets,
        columns.secret_expires_at,
        columns.filter,
        webhook.settled_after.0,
        columns.login_user,
        columns.login_password,
        columns.signing_key,
        columns.metadata,
        columns.max_in_flight,
        columns.rate_per_s,
        columns.concurrency,
        columns.ordered,
        columns.on_exhausted,
        columns.health.failing_since,
        columns.health.held_since,
        columns.health.probes,
        columns.health.probe_at,
    ])?;
    Ok(())
}
