//! `update_webhook`: what the customer may change, the secrets, and the switch. A change for fan-out, whatever it changes.

use signalpost_core::delivery::CutReason;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::order::OrderChange;
use signalpost_core::webhook::{Webhook, WebhookState};
use signalpost_store::StoreError;
use signalpost_store::catalog::{Switch, UpdateWebhook};
use signalpost_store::change::Change;
use signalpost_store::row;
use signalpost_store::row::{WebhookColumns, webhook_columns};

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
    params.apply_to(&mut webhook)?;
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
    note(write, &before, &webhook, params.release);
    if before.order.blocks() && !webhook.order.blocks() {
        unblock::begin(write, id).await?;
    }
    Ok(webhook)
}

/// One that goes on, and is as it was in all else, loses nothing that another node could still act on.
fn note(write: &mut Write<'_>, before: &Webhook, after: &Webhook, release: Option<ReleaseOrder>) {
    let (workspace, webhook) = (after.workspace, after.id);
    let release = release.filter(|_| before.health.hold.is_some());
    let is_switched_on = after.state.is_active() && !before.state.is_active();
    if is_switched_on || release.is_some() {
        write.note_change(Change::Resumed { workspace, webhook, release });
        let state = if is_switched_on { after.state } else { before.state };
        let (health, settled_after, updated_at) = (after.health, after.settled_after, after.updated_at);
        let as_before = Webhook { state, health, settled_after, updated_at, ..before.clone() };
        if as_before == *after {
            return;
        }
    }
    write.note_change(Change::Webhook { workspace, webhook });
}

async fn store(session: &Session, webhook: &Webhook) -> Result<(), Failure> {
    let columns = WebhookColumns::of(webhook);
    session
        .execute(
            UPDATE,
            &[
                &webhook.id.raw(),
                &columns.name,
                &columns.url,
                &columns.events,
                &columns.subject,
                &columns.disabled_at,
                &columns.disable_reason,
                &columns.health.failures,
                &columns.updated_at,
                &columns.retry_schedule,
                &columns.timeout_ms,
                &columns.headers,
                &columns.secret,
                &columns.previous_secrets,
                &columns.secret_expires_at,
                &columns.filter,
                &webhook.settled_after.0,
                &columns.login_user,
                &columns.login_password,
                &columns.signing_key,
                &columns.metadata,
                &columns.max_in_flight,
                &columns.rate_per_s,
                &columns.concurrency,
                &columns.ordered,
                &columns.on_exhausted,
                &columns.health.failing_since,
                &columns.health.held_since,
                &columns.health.probes,
                &columns.health.probe_at,
            ],
        )
        .await?;
    Ok(())
}
