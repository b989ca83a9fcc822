//! `close_workspace`: ends a tenant, but for one last event.
//!
//! The workspace is marked as an erased one is, so that no verb finds it. Its webhooks that wait for the event's delivery
//! stand in `leaving`, by which their lanes are found; each goes when its delivery has ended, and what erasing leaves to
//! retention is left to it when the last has gone.

use rusqlite::Connection;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::CutReason;
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::workspace::Workspace;
use signalpost_store::ledger::{Accepted, Finished};
use signalpost_store::{Answer, StoreError};

use super::erase_workspace::{self, Stepped};
use super::{delete_webhook, find};
use crate::failure::Failure;
use crate::fetch::{exists, fetch_one};
use crate::ledger::accept::{self, Incoming};
use crate::ledger::finish::store_health;
use crate::store::Writing;
use crate::write::Write;
use signalpost_store::row;
use signalpost_store::row::{Fields, workspace_columns};

pub(crate) const INSERT: &str = "INSERT INTO leaving (webhook, workspace, event) VALUES (?1, ?2, ?3)";
pub(crate) const SELECT_WORKSPACE: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM leaving l CROSS JOIN workspace w ON w.id = l.workspace WHERE l.webhook = ?1"
);
pub(crate) const SELECT_LAST_EVENT: &str = "SELECT webhook, event FROM leaving WHERE webhook = ?1";
pub(crate) const DELETE: &str = "DELETE FROM leaving WHERE webhook = ?1";
pub(crate) const ANY_LEFT: &str = "SELECT 1 FROM leaving WHERE workspace = ?1";

/// What one commit has done.
pub(crate) struct Begun {
    accepted: Option<Accepted>,
    stepped: Stepped,
}

/// Stores the event, and ends everything else with the first step of an erasure.
pub(super) fn begin(write: &mut Write<'_>, farewell: &mut Incoming) -> Result<Begun, Failure> {
    let event = farewell.event();
    let (workspace, at) = (event.workspace, event.accepted_at);
    accept::check_version(write, farewell)?;
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(StoreError::Missing("workspace").into());
    }
    let (id, targets) = (event.id, event.targets.clone());
    if targets.is_empty() {
        let stepped = erase_workspace::begin(write, workspace, at)?;
        return Ok(Begun { accepted: None, stepped });
    }
    let upto = write.sequence(workspace)?;
    for webhook in &targets {
        write.cut(*webhook, upto, at, CutReason::Deleted)?;
        write.statement(INSERT)?.execute([webhook.raw(), workspace.raw(), id.raw()])?;
    }
    write.caches.leaving = None;
    let accepted = accept::store(write, farewell)?;
    erase_workspace::hide(write, workspace, at)?;
    Ok(Begun { accepted: Some(accepted), stepped: erase_workspace::step(write, workspace)? })
}

/// Does the rest of what an erasure does before it is answered.
pub(super) async fn complete(
    writing: Writing,
    workspace: WorkspaceId,
    begun: Answer<Begun>,
) -> Result<Option<Accepted>, StoreError> {
    let Begun { accepted, stepped } = begun.await?;
    erase_workspace::go_on(writing, workspace, stepped).await?;
    Ok(accepted)
}

/// The workspace of a webhook that leaves.
pub(super) fn workspace_left(
    connection: &Connection,
    webhook: WebhookId,
) -> Result<Option<Workspace>, Failure> {
    fetch_one(connection, SELECT_WORKSPACE, [webhook.raw()], row::workspace)
}

/// What an attempt means for a webhook that leaves. Costs nothing while there is none.
pub(crate) fn after_attempt(write: &mut Write<'_>, finished: &Finished) -> Result<(), Failure> {
    if write.leaving()? == 0 {
        return Ok(());
    }
    let id = finished.due.id.webhook;
    let Some(last_event) = last_event(write, id)? else { return Ok(()) };
    let disabled = finished.health.is_some_and(|health| health.disable.is_some());
    let is_last = last_event == finished.due.id.event;
    // Nothing is held for a receiver whose customer has gone.
    if disabled || (is_last && !matches!(finished.attempt.verdict, Verdict::RetryAt(_))) {
        return end(write, finished);
    }
    if let Some(health) = finished.health {
        store_health(write, id, &health.health)?;
    }
    Ok(())
}

/// What a webhook waits for, if it leaves.
fn last_event(write: &Write<'_>, webhook: WebhookId) -> Result<Option<EventId>, Failure> {
    fetch_one(write.connection, SELECT_LAST_EVENT, [webhook.raw()], |row| {
        let mut fields = Fields::new(row, "leaving", 1);
        fields.skip();
        Ok(EventId::from_raw(fields.id("event")?))
    })
}

/// Buries a webhook that has left, and with the last of its workspace begins the erasure.
fn end(write: &mut Write<'_>, finished: &Finished) -> Result<(), Failure> {
    let webhook = finished.due.id.webhook;
    delete_webhook::bury(write, webhook, Sequence(i64::MAX), finished.attempt.at, None)?;
    write.statement(DELETE)?.execute([webhook.raw()])?;
    write.caches.leaving = None;
    if exists(write.connection, ANY_LEFT, [finished.workspace.raw()])? {
        return Ok(());
    }
    erase_workspace::leave_rest(write, finished.workspace)
}
