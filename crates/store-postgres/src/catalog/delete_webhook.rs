//! `delete_webhook`: secrets, login, headers and all that the customer wrote go; a tombstone with its id, who deleted it,
//! and a cut stay.

use signalpost_core::delivery::CutReason;
use signalpost_core::event::Sequence;
use signalpost_core::id::WebhookId;
use signalpost_core::principal::Principal;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Webhook;
use signalpost_store::StoreError;
use signalpost_store::catalog::DeleteWebhook;
use signalpost_store::change::Change;

use super::find;
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE webhook
    SET deleted_at = $2, updated_at = $2, secret = NULL, previous_secrets = NULL, secret_expires_at = NULL,
        headers = NULL, name = NULL, url = '', events = NULL, subject = NULL, filter = NULL,
        retry_schedule = NULL, timeout_ms = NULL, login_user = NULL, login_password = NULL, signing_key = NULL,
        metadata = NULL, max_in_flight = NULL, rate_per_s = NULL, concurrency = NULL, ordered = 0,
        on_exhausted = 'skip', settled_after = $3, deleted_by = $4
    WHERE id = ANY($1::bigint[])";

/// Gives the webhook as it was until then.
pub(super) async fn run(write: &mut Write<'_>, params: &DeleteWebhook) -> Result<Webhook, Failure> {
    let DeleteWebhook { workspace, webhook, at, ref by } = *params;
    write.lock(workspace).await?;
    let last = find::webhook(write, workspace, webhook).await?;
    let last = last.ok_or(StoreError::Missing("webhook"))?;
    let upto = write.sequence(workspace)?;
    write.bump_version(workspace)?;
    write.note_change(Change::Webhook { workspace, webhook });
    bury(write, webhook, upto, at, Some(by)).await?;
    Ok(last)
}

/// The caller has found the webhook, and counts the change. `by` is told of one that is deleted by itself: nobody asks who
/// ended those of a workspace that is gone.
pub(super) async fn bury(
    write: &mut Write<'_>,
    webhook: WebhookId,
    upto: Sequence,
    at: Timestamp,
    by: Option<&Principal>,
) -> Result<(), Failure> {
    let by = by.map(Principal::to_text);
    write.execute(UPDATE, &[&[webhook.raw()].as_slice(), &at.as_ms(), &upto.0, &by]).await?;
    write.cut(webhook, upto, at, CutReason::Deleted).await
}
