//! `erase_workspace`: ends a tenant. The row stays, so that its public id stays taken.
//!
//! From the mark on no verb finds the workspace or anything of it. Its webhooks, its credentials, the rights of users on it
//! and the answers that may hold secrets go in bounded steps before the verb answers; what else it had is removed by retention.

use rusqlite::params;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::{Answer, StoreError};

use super::once::{self, returning};
use super::{delete_webhook, find, revoke_right};
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one, limit};
use crate::job::Growth;
use crate::meta;
use crate::portal;
use crate::queue::Admission;
use crate::replays;
use crate::store::Writing;
use crate::write::Write;
use signalpost_store::row::{Fields, Row, right_key};

pub(crate) const SELECT_WEBHOOKS: &str =
    "SELECT h.id FROM webhook h WHERE h.workspace = ?1 AND h.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM leaving l WHERE l.webhook = h.id)
    ORDER BY h.id LIMIT ?2";
pub(crate) const SELECT_NEWEST_CREDENTIAL: &str =
    "SELECT coalesce(max(id), 0) FROM credential WHERE workspace = ?1";
pub(crate) const DELETE_CREDENTIALS: &str = "DELETE FROM credential
    WHERE id IN (SELECT id FROM credential WHERE workspace = ?1 ORDER BY id LIMIT ?2)";
pub(crate) const SELECT_NEWEST_OPERATOR_KEY: &str =
    "SELECT coalesce(max(id), 0) FROM operator_key WHERE workspace = ?1";
/// There are [`signalpost_core::limits::OPERATOR_KEYS_MAX`] at most.
pub(crate) const DELETE_OPERATOR_KEYS: &str = "DELETE FROM operator_key WHERE workspace = ?1";
pub(crate) const SELECT_RIGHTS: &str =
    "SELECT id, user FROM user_right WHERE workspace = ?1 ORDER BY id LIMIT ?2";
/// Answers that may hold secrets. Nobody finds the others any more either.
pub(crate) const DELETE_SEALED: &str = concat!(
    "DELETE FROM once WHERE id IN (
        SELECT id FROM once INDEXED BY once_sealed WHERE workspace = ?1 AND sealed IS NOT NULL LIMIT ?2)",
    returning!()
);
/// There are [`signalpost_core::limits::SIGNING_KEYS_MAX`] at most.
pub(crate) const WIPE_SIGNING_KEYS: &str = "UPDATE signing_key
    SET sealed = NULL, deleted_at = (SELECT erased_at FROM workspace WHERE id = ?1)
    WHERE workspace = ?1 AND deleted_at IS NULL";
pub(crate) const UPDATE: &str = "UPDATE workspace SET erased_at = ?2 WHERE id = ?1";
pub(crate) const WIPE: &str = "UPDATE workspace
    SET name = '', features = x'00', retry_schedule = NULL, timeout_ms = NULL,
        event_age_s = NULL, payload_age_s = NULL, bytes_max = NULL, hold_after_s = NULL, release_order = NULL
    WHERE id = ?1";
pub(crate) const SELECT_ERASED_AT: &str = "SELECT id, erased_at FROM workspace WHERE id = ?1";
/// Every verb that writes asks for the head: without it the workspace does not exist for them.
pub(crate) const DELETE_HEAD: &str = "DELETE FROM head WHERE workspace = ?1";
pub(crate) const INSERT_REST: &str =
    "INSERT INTO rest (workspace, upto) VALUES (?1, (SELECT coalesce(max(id), 0) FROM message))";

/// Webhooks buried in one commit, and again so many credentials, rights and answers: some 5 ms each.
pub(crate) const BURIED_MAX: usize = 500;
/// What a step weighs in a commit, in bytes: enough that few neighbours share one.
const STEP_BYTES: usize = 256 * 1024;

/// What one step has done.
pub(crate) struct Stepped {
    pub(crate) buried: Vec<WebhookId>,
    /// Credentials, rights and answers.
    stripped: usize,
}

impl Stepped {
    const fn is_last(&self) -> bool {
        self.buried.len() < BURIED_MAX && self.stripped < BURIED_MAX
    }
}

/// Marks the workspace and does the first step.
pub(crate) fn begin(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    at: Timestamp,
) -> Result<Stepped, Failure> {
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(StoreError::Missing("workspace").into());
    }
    hide(write, workspace, at)?;
    leave_rest(write, workspace)?;
    step(write, workspace)
}

/// From here on no verb finds the workspace. Its operator keys, sessions at its portal and replays go with the mark.
pub(super) fn hide(write: &mut Write<'_>, workspace: WorkspaceId, at: Timestamp) -> Result<(), Failure> {
    for newest in [SELECT_NEWEST_CREDENTIAL, SELECT_NEWEST_OPERATOR_KEY] {
        let newest: i64 = write.statement(newest)?.query_row([workspace.raw()], |row| row.get(0))?;
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest)?;
    }
    write.statement(DELETE_OPERATOR_KEYS)?.execute([workspace.raw()])?;
    portal::remove::all_of(write, workspace)?;
    replays::end::erase(write, workspace)?;
    write.statement(UPDATE)?.execute(params![workspace.raw(), at.as_ms()])?;
    write.statement(DELETE_HEAD)?.execute([workspace.raw()])?;
    write.forget_head(workspace);
    Ok(())
}

/// Wipes what its owner wrote and leaves everything else to retention. Nothing may be stored for the workspace any more.
pub(super) fn leave_rest(write: &Write<'_>, workspace: WorkspaceId) -> Result<(), Failure> {
    write.statement(WIPE_SIGNING_KEYS)?.execute([workspace.raw()])?;
    write.statement(WIPE)?.execute([workspace.raw()])?;
    write.statement(INSERT_REST)?.execute([workspace.raw()])?;
    Ok(())
}

/// Does the rest, each step in a commit that others may share.
pub(super) async fn complete(
    writing: Writing,
    workspace: WorkspaceId,
    begun: Answer<Stepped>,
) -> Result<Vec<WebhookId>, StoreError> {
    go_on(writing, workspace, begun.await?).await
}

pub(super) async fn go_on(
    writing: Writing,
    workspace: WorkspaceId,
    mut stepped: Stepped,
) -> Result<Vec<WebhookId>, StoreError> {
    let mut ended = Vec::new();
    loop {
        let is_last = stepped.is_last();
        ended.append(&mut stepped.buried);
        if is_last {
            return Ok(ended);
        }
        let admission = (Admission::Always, Growth::Needed);
        stepped = writing.write(admission, STEP_BYTES, move |write| step(write, workspace)).await?;
    }
}

pub(super) fn step(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<Stepped, Failure> {
    let buried = bury(write, workspace)?;
    Ok(Stepped { buried, stripped: strip(write, workspace)? })
}

/// Wipes up to [`BURIED_MAX`] credentials, rights of users, and answers that may hold secrets, of an erased workspace; fewer when there
/// are no more.
pub(crate) fn strip(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let credentials =
        write.statement(DELETE_CREDENTIALS)?.execute(params![workspace.raw(), limit(BURIED_MAX)])?;
    let rights = end_rights(write, workspace, BURIED_MAX.saturating_sub(credentials))?;
    let left = limit(BURIED_MAX.saturating_sub(credentials + rights));
    Ok(credentials + rights + once::forget(write, DELETE_SEALED, params![workspace.raw(), left])?)
}

/// Users whose last rights they were go too.
fn end_rights(write: &Write<'_>, workspace: WorkspaceId, rights_max: usize) -> Result<usize, Failure> {
    let page = [workspace.raw(), limit(rights_max)];
    let rights = fetch_all(write.connection, SELECT_RIGHTS, page, right_key)?;
    for right in &rights {
        revoke_right::remove(write, *right)?;
    }
    Ok(rights.len())
}

/// Buries up to [`BURIED_MAX`] webhooks of an erased workspace; fewer when there are no more.
pub(crate) fn bury(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<Vec<WebhookId>, Failure> {
    let id = |row: &Row<'_>| Fields::new(row, "webhook", 1).integer("id").map(WebhookId::from_raw);
    let page = [workspace.raw(), limit(BURIED_MAX)];
    let webhooks = fetch_all(write.connection, SELECT_WEBHOOKS, page, id)?;
    if webhooks.is_empty() {
        return Ok(webhooks);
    }
    let at = erased_at(write, workspace)?;
    for webhook in &webhooks {
        // Nothing of theirs will be born any more, so the cut may stand above everything.
        delete_webhook::bury(write, *webhook, Sequence(i64::MAX), at, None)?;
    }
    Ok(webhooks)
}

fn erased_at(write: &Write<'_>, workspace: WorkspaceId) -> Result<Timestamp, Failure> {
    let at = fetch_one(write.connection, SELECT_ERASED_AT, [workspace.raw()], |row| {
        let mut fields = Fields::new(row, "workspace", 1);
        fields.skip();
        fields.time("erased_at")
    })?;
    Ok(at.ok_or(StoreError::Missing("workspace"))?)
}
