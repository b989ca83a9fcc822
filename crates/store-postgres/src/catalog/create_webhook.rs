//! `create_webhook`.

use signalpost_core::event::Sequence;
use signalpost_core::id::{SigningKeyId, WorkspaceId};
use signalpost_core::limits::FILTERED_WEBHOOKS_MAX;
use signalpost_core::webhook::Webhook;
use signalpost_store::StoreError;
use signalpost_store::catalog::CreateWebhook;
use signalpost_store::change::Change;
use signalpost_store::row::WebhookColumns;

use super::signing_key;
use crate::failure::Failure;
use crate::session::{Session, limit};
use crate::write::Write;

/// Deleted ones count too.
pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM webhook WHERE workspace = $1 AND public_id = $2";
/// The last webhook that a workspace may have; deleted ones do not count.
pub(crate) const IS_FULL: &str =
    "SELECT 1 FROM webhook WHERE workspace = $1 AND deleted_at IS NULL LIMIT 1 OFFSET $2";
/// The last one with a filter.
pub(crate) const IS_FULL_OF_FILTERS: &str = "SELECT 1 FROM webhook
    WHERE workspace = $1 AND filter IS NOT NULL AND deleted_at IS NULL LIMIT 1 OFFSET $2";
pub(crate) const INSERT: &str = "INSERT INTO webhook
    (id, workspace, public_id, name, url, events, subject, disabled_at, disable_reason, retry_schedule, timeout_ms,
     headers, secret, previous_secrets, secret_expires_at, consecutive_failures, created_at, updated_at, filter,
     created_after, settled_after, login_user, login_password, signing_key, metadata, max_in_flight, rate_per_s, concurrency,
     ordered, on_exhausted, failing_since, held_since, probes, probe_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $21, $22,
     $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)";

pub(super) async fn run(write: &mut Write<'_>, params: &CreateWebhook) -> Result<(), Failure> {
    let CreateWebhook { webhook, webhooks_max } = params;
    let workspace = webhook.workspace;
    write.lock(workspace).await?;
    if write.version(workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    if write.exists(IS_TAKEN, &[&workspace.raw(), &webhook.public_id]).await? {
        return Err(StoreError::Taken("webhook id").into());
    }
    if let Some(webhooks_max) = *webhooks_max {
        check_limit(write, workspace, webhooks_max).await?;
    }
    if webhook.filter.is_some() {
        check_filtered(write, workspace).await?;
    }
    check_reference(write, workspace, webhook.signing_key).await?;
    let here = write.sequence(workspace)?;
    insert(write, webhook, here).await?;
    write.bump_version(workspace)?;
    write.note_change(Change::FanOut(workspace));
    write.news.note_id(webhook.id.raw());
    Ok(())
}

async fn insert(session: &Session, webhook: &Webhook, here: Sequence) -> Result<(), Failure> {
    let columns = WebhookColumns::of(webhook);
    session
        .execute(
            INSERT,
            &[
                &webhook.id.raw(),
                &webhook.workspace.raw(),
                &webhook.public_id,
                &columns.name,
                &columns.url,
                &columns.events,
                &columns.subject,
                &columns.disabled_at,
                &columns.disable_reason,
                &columns.retry_schedule,
                &columns.timeout_ms,
                &columns.headers,
                &columns.secret,
                &columns.previous_secrets,
                &columns.secret_expires_at,
                &columns.health.failures,
                &webhook.created_at.as_ms(),
                &columns.updated_at,
                &columns.filter,
                &here.0,
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

async fn check_limit(session: &Session, workspace: WorkspaceId, webhooks_max: usize) -> Result<(), Failure> {
    let full = match webhooks_max.checked_sub(1) {
        None => true,
        Some(others) => session.exists(IS_FULL, &[&workspace.raw(), &limit(others)]).await?,
    };
    if full { Err(StoreError::LimitReached { what: "webhooks", limit: webhooks_max }.into()) } else { Ok(()) }
}

/// Refuses one more with a filter than a workspace may have.
pub(super) async fn check_filtered(session: &Session, workspace: WorkspaceId) -> Result<(), Failure> {
    let others = limit(FILTERED_WEBHOOKS_MAX - 1);
    if session.exists(IS_FULL_OF_FILTERS, &[&workspace.raw(), &others]).await? {
        let what = "webhooks with a filter";
        return Err(StoreError::LimitReached { what, limit: FILTERED_WEBHOOKS_MAX }.into());
    }
    Ok(())
}

/// Refuses a reference to a signing key that the workspace does not have. Whether that lives is the caller's business.
pub(super) async fn check_reference(
    session: &Session,
    workspace: WorkspaceId,
    key: Option<SigningKeyId>,
) -> Result<(), Failure> {
    match key {
        Some(key) if signing_key::by_id(session, workspace, key).await?.is_none() => {
            Err(StoreError::Missing("signing key").into())
        }
        _ => Ok(()),
    }
}
