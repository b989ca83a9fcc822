//! Disabling a webhook, by its owner or by its health.

use signalpost_core::delivery::CutReason;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::DisableReason;

use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE webhook
    SET disabled_at = $2, disable_reason = $3, updated_at = $2, settled_after = $4 WHERE id = $1";

/// Writes the state, and the cut where the reason asks for one. The caller has locked the workspace, has found that the
/// webhook gives way to the reason, and counts the change. Gives the number after which the webhook is settled.
pub(crate) async fn disable(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    at: Timestamp,
    reason: DisableReason,
) -> Result<Sequence, Failure> {
    let upto = write.sequence(workspace)?;
    write.execute(UPDATE, &[&webhook.raw(), &at.as_ms(), &reason.name(), &upto.0]).await?;
    if reason.ends_pending() {
        write.cut(webhook, upto, at, CutReason::Disabled).await?;
    }
    Ok(upto)
}
