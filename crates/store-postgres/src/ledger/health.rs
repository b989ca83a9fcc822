//! What an attempt means for its webhook's health.

use signalpost_core::delivery::CutReason;
use signalpost_core::health::Health;
use signalpost_core::id::WebhookId;
use signalpost_store::change::Change;
use signalpost_store::ledger::{Backlog, Finished, HealthChange};
use signalpost_store::row::HealthColumns;

use crate::catalog::{disable, find};
use crate::failure::Failure;
use crate::session::{Params, Session};
use crate::write::Write;

pub(crate) const UPDATE_HEALTH: &str = "UPDATE webhook
    SET consecutive_failures = $2, failing_since = $3, held_since = $4, probes = $5, probe_at = $6 WHERE id = $1";

/// A failure count alone changes neither the workspace's version nor the webhook's `updated_at`.
pub(super) async fn change(
    write: &mut Write<'_>,
    finished: &Finished,
    health: HealthChange,
) -> Result<(), Failure> {
    let (workspace, id) = (finished.workspace, finished.due.id.webhook);
    let Some(webhook) = find::webhook(write, workspace, id).await? else { return Ok(()) };
    if webhook.health != health.health {
        store(write, id, &health.health).await?;
    }
    if let Some(reason) = health.disable.filter(|reason| webhook.state.gives_way_to(*reason)) {
        disable::disable(write, workspace, id, finished.attempt.at, reason).await?;
        write.bump_version(workspace)?;
        // Its lane is where the attempt ended.
        write.note_change(Change::FanOut(workspace));
    }
    if health.backlog == Backlog::Skipped {
        let upto = write.sequence(workspace)?;
        write.cut(id, upto, finished.attempt.at, CutReason::Skipped).await?;
    }
    Ok(())
}

pub(crate) async fn store(session: &Session, id: WebhookId, health: &Health) -> Result<(), Failure> {
    let HealthColumns { failures, failing_since, held_since, probes, probe_at } = HealthColumns::of(health);
    let values: Params<'_> = &[&id.raw(), &failures, &failing_since, &held_since, &probes, &probe_at];
    session.execute(UPDATE_HEALTH, values).await?;
    Ok(())
}
