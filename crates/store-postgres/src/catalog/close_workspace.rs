//! `close_workspace`: ends a tenant, but for one last event.
//!
//! The workspace is marked as an erased one is, so that no verb finds it. Its webhooks that wait for the event's delivery
//! stand in `leaving`, by which their lanes are found; each goes when its delivery has ended, and what erasing leaves to
//! retention is left to it when the last has gone.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::CutReason;
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WebhookId};
use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;
use signalpost_store::catalog::CloseWorkspace;
use signalpost_store::ledger::{Accepted, Finished};
use signalpost_store::row;
use signalpost_store::row::{Fields, workspace_columns};

use super::delete_webhook;
use super::erase_workspace::{self, Stepped};
use crate::failure::Failure;
use crate::ledger::accept::{self, Incoming};
use crate::ledger::health;
use crate::ledger::owed::Owed;
use crate::ledger::rows;
use crate::pool::Pool;
use crate::session::Session;
use crate::work;
use crate::write::Write;

pub(crate) const INSERT: &str = "INSERT INTO leaving (webhook, workspace, event) VALUES ($1, $2, $3)";
pub(crate) const SELECT_WORKSPACE: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM leaving l JOIN workspace w ON w.id = l.workspace WHERE l.webhook = $1"
);
pub(crate) const SELECT_LAST_EVENT: &str = "SELECT webhook, event FROM leaving WHERE webhook = $1";
pub(crate) const DELETE: &str = "DELETE FROM leaving WHERE webhook = $1";
pub(crate) const ANY_LEFT: &str = "SELECT 1 FROM leaving WHERE workspace = $1";

/// What one commit has done.
struct Begun {
    accepted: Option<Accepted>,
    stepped: Stepped,
}

pub(super) async fn run(pool: &Pool, params: &CloseWorkspace) -> Result<Option<Accepted>, StoreError> {
    let begin = async |write: &mut Write<'_>| begin(write, params).await;
    let Begun { accepted, stepped } = work::transact(pool, &begin).await?;
    // The rest of what an erasure does before it is answered.
    erase_workspace::go_on(pool, params.farewell.workspace, stepped).await?;
    Ok(accepted)
}

/// Stores the event, and ends everything else with the first step of an erasure.
async fn begin(write: &mut Write<'_>, params: &CloseWorkspace) -> Result<Begun, Failure> {
    let mut farewell = Incoming::new(params.farewell.clone());
    let (workspace, at) = (farewell.event().workspace, farewell.event().accepted_at);
    let mut locked = erase_workspace::locks_of(write, workspace).await?;
    locked.extend(farewell.locked());
    write.lock_all(&locked).await?;
    accept::check_version(write, &farewell)?;
    let (id, targets) = (farewell.event().id, farewell.event().targets.clone());
    if targets.is_empty() {
        let stepped = erase_workspace::begin(write, workspace, at).await?;
        return Ok(Begun { accepted: None, stepped });
    }
    let upto = write.sequence(workspace)?;
    for webhook in &targets {
        write.cut(*webhook, upto, at, CutReason::Deleted).await?;
        write.execute(INSERT, &[&webhook.raw(), &workspace.raw(), &id.raw()]).await?;
    }
    let mut owed = Owed::look(write, std::iter::once(&farewell)).await?;
    let accepted = accept::store(write, &mut farewell, &mut owed)?;
    rows::append(write, &[&farewell], &owed).await?;
    erase_workspace::hide(write, workspace, at).await?;
    let stepped = erase_workspace::step(write, workspace).await?;
    Ok(Begun { accepted: Some(accepted), stepped })
}

/// The workspace of a webhook that leaves.
pub(super) async fn workspace_left(
    session: &Session,
    webhook: WebhookId,
) -> Result<Option<Workspace>, Failure> {
    session.one(SELECT_WORKSPACE, &[&webhook.raw()], row::workspace).await
}

/// What an attempt means for a webhook that leaves. Its workspace is locked.
pub(crate) async fn after_attempt(write: &mut Write<'_>, finished: &Finished) -> Result<(), Failure> {
    let id = finished.due.id.webhook;
    let Some(last_event) = last_event(write, id).await? else { return Ok(()) };
    let disabled = finished.health.is_some_and(|health| health.disable.is_some());
    let is_last = last_event == finished.due.id.event;
    // Nothing is held for a receiver whose customer has gone.
    if disabled || (is_last && !matches!(finished.attempt.verdict, Verdict::RetryAt(_))) {
        return end(write, finished).await;
    }
    if let Some(health) = finished.health {
        health::store(write, id, &health.health).await?;
    }
    Ok(())
}

/// What a webhook waits for, if it leaves.
async fn last_event(session: &Session, webhook: WebhookId) -> Result<Option<EventId>, Failure> {
    session
        .one(SELECT_LAST_EVENT, &[&webhook.raw()], |row| {
            let mut fields = Fields::new(row, "leaving", 1);
            fields.skip();
            Ok(EventId::from_raw(fields.id("event")?))
        })
        .await
}

/// Buries a webhook that has left, and with the last of its workspace begins the erasure.
async fn end(write: &mut Write<'_>, finished: &Finished) -> Result<(), Failure> {
    let webhook = finished.due.id.webhook;
    delete_webhook::bury(write, webhook, Sequence(i64::MAX), finished.attempt.at, None).await?;
    write.execute(DELETE, &[&webhook.raw()]).await?;
    if write.exists(ANY_LEFT, &[&finished.workspace.raw()]).await? {
        return Ok(());
    }
    erase_workspace::leave_rest(write, finished.workspace).await
}
