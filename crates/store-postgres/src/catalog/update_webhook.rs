//! `update_webhook`: what the customer may change, the secrets, and the switch. A change for fan-out, whatever it changes.

use signalpost_core::ceilings::MaxInFlight;
use signalpost_core::custom_header::merged;
use signalpost_core::delivery::CutReason;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::metadata;
use signalpost_core::order::OrderChange;
use signalpost_core::pace::Rate;
use signalpost_core::rotation::{self, first_expiry};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{Webhook, WebhookState};
use signalpost_store::StoreError;
use signalpost_store::catalog::{Switch, UpdateWebhook};
use signalpost_store::pack_sealed::{pack_headers, pack_secrets};
use signalpost_store::row;
use signalpost_store::row::{
    HealthColumns, disabled_columns, events_column, metadata_column, signing_key_column, timeout_column,
    webhook_columns, write_schedule,
};

use super::create_webhook::{check_filtered, check_reference};
use super::disable;
use crate::failure::Failure;
use crate::ledger::unblock;
use crate::locks::Locked;
use crate::session::Session;
use crate::write::Write;

/// As [`super::find::SELECT_WEBHOOK`]. Outcomes change a webhook's health without a lock of the workspace: they wait until
/// the change is made, or it waits for them.
pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.id = $1 AND h.workspace = $2 AND h.deleted_at IS NULL AND w.erased_at IS NULL FOR UPDATE OF h"
);
pub(crate) const UPDATE: &str = "UPDATE webhook
    SET name = $2, url = $3, events = $4, subject = $5, disabled_at = $6, disable_reason = $7,
        consecutive_failures = $8, updated_at = $9, retry_schedule = $10, timeout_ms = $11, headers = $12,
        secret = $13, previous_secrets = $14, secret_expires_at = $15, filter = $16, settled_after = $17,
        login_user = $18, login_password = $19, signing_key = $20, metadata = $21,
        max_in_flight = $22, rate_per_s = $23, concurrency = $24, ordered = $25, on_exhausted = $26,
        failing_since = $27, held_since = $28, probes = $29, probe_at = $30
    WHERE id = $1";

/// What must be locked before a change: where its order is changed, keys may be let go.
pub(super) fn locks_of(params: &UpdateWebhook) -> impl Iterator<Item = Locked> {
    let order = (params.order != OrderChange::default()).then_some(Locked::Order(params.webhook));
    std::iter::once(Locked::Workspace(params.workspace)).chain(order)
}

pub(super) async fn run(write: &mut Write<'_>, params: &UpdateWebhook) -> Result<Webhook, Failure> {
    let UpdateWebhook { workspace, webhook: id, at, .. } = *params;
    write.lock_all(&locks_of(params).collect::<Vec<_>>()).await?;
    let found = write.one(SELECT, &[&id.raw(), &workspace.raw()], row::webhook).await?;
    let mut webhook = found.ok_or(StoreError::Missing("webhook"))?;
    let before = webhook.clone();
    check_reference(write, workspace, params.signing_key.flatten()).await?;
    change_guarded(&mut webhook, params)?;
    change(&mut webhook, params);
    if webhook.filter.is_some() && before.filter.is_none() {
        check_filtered(write, workspace).await?;
    }
    if !webhook.decides_like(&before) {
        webhook.settled_after = write.sequence(workspace)?;
    }
    write.bump_version(workspace)?;
    if let (Some(order), Some(_)) = (params.release, webhook.health.hold) {
        webhook.health = Health::default();
        if order == ReleaseOrder::Skip {
            let upto = write.sequence(workspace)?;
            write.cut(id, upto, at, CutReason::Skipped).await?;
        }
    }
    store(write, &webhook).await?;
    if let Some(Switch::Disable(reason)) = params.switch
        && webhook.state.gives_way_to(reason)
    {
        webhook.settled_after = disable::disable(write, workspace, id, at, reason).await?;
        webhook.state = WebhookState::Disabled { at, reason };
    }
    if before.order.blocks() && !webhook.order.blocks() {
        unblock::begin(write, id).await?;
    }
    Ok(webhook)
}

/// What may be refused of a change.
fn change_guarded(webhook: &mut Webhook, params: &UpdateWebhook) -> Result<(), StoreError> {
    if let Some(headers) = &params.headers {
        webhook.headers = merged(&webhook.headers, headers)?;
    }
    if let Some(secrets) = &params.secrets {
        rotation::apply(webhook, secrets, params.at)?;
    }
    rotation::wipe_expired(webhook, params.at);
    webhook.login = webhook.login.after(&params.login);
    webhook.login.check_beside(&webhook.headers)?;
    if let Some(metadata) = &params.metadata {
        webhook.metadata = metadata::merged(&webhook.metadata, metadata)?;
    }
    Ok(())
}

/// Everything else but disabling, which may write a cut.
fn change(webhook: &mut Webhook, params: &UpdateWebhook) {
    if let Some(name) = &params.name {
        webhook.name.clone_from(name);
    }
    if let Some(url) = params.url.as_ref().filter(|url| **url != webhook.url) {
        webhook.url.clone_from(url);
        webhook.concurrency = None;
    }
    if let Some(events) = &params.events {
        webhook.events.clone_from(events);
    }
    if let Some(subject) = &params.subject {
        webhook.subject.clone_from(subject);
    }
    if let Some(filter) = &params.filter {
        webhook.filter.clone_from(filter);
    }
    if let Some(retry) = &params.retry {
        webhook.patience.retry.clone_from(retry);
    }
    if let Some(timeout) = params.timeout {
        webhook.patience.timeout = timeout;
    }
    webhook.ceilings = webhook.ceilings.after(params.ceilings);
    webhook.order = webhook.order.after(params.order);
    if let Some(signing_key) = params.signing_key {
        webhook.signing_key = signing_key;
    }
    if params.switch == Some(Switch::Enable) && !webhook.state.is_active() {
        webhook.state = WebhookState::Active;
        webhook.health = Health::default();
    }
    if let Some(hold) = &mut webhook.health.hold {
        hold.probe_at = hold.probe_at.min(params.at);
    }
    webhook.updated_at = params.at;
}

async fn store(session: &Session, webhook: &Webhook) -> Result<(), Failure> {
    let (disabled_at, reason) = disabled_columns(webhook.state);
    let health = HealthColumns::of(&webhook.health);
    session
        .execute(
            UPDATE,
            &[
                &webhook.id.raw(),
                &webhook.name,
                &webhook.url,
                &events_column(&webhook.events),
                &webhook.subject,
                &disabled_at,
                &reason,
                &i64::from(health.failures),
                &webhook.updated_at.as_ms(),
                &webhook.patience.retry.as_ref().map(write_schedule),
                &timeout_column(webhook.patience.timeout),
                &pack_headers(&webhook.headers),
                &webhook.secret.as_ref().map(|secret| secret.as_bytes()),
                &pack_secrets(&webhook.previous_secrets),
                &first_expiry(&webhook.previous_secrets).map(Timestamp::as_ms),
                &webhook.filter,
                &webhook.settled_after.0,
                &webhook.login.user,
                &webhook.login.password.as_ref().map(|password| password.as_bytes()),
                &signing_key_column(webhook),
                &metadata_column(&webhook.metadata),
                &webhook.ceilings.in_flight.map(MaxInFlight::get).map(i64::from),
                &webhook.ceilings.rate.map(Rate::requests_per_second).map(i64::from),
                &webhook.concurrency.map(i64::from),
                &i64::from(webhook.order.by_key),
                &webhook.order.on_exhausted.name(),
                &health.failing_since,
                &health.held_since,
                &health.probes.map(i64::from),
                &health.probe_at,
            ],
        )
        .await?;
    Ok(())
}
