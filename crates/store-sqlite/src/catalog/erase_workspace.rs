//! `erase_workspace`: ends a tenant. The row stays, so that its public id stays taken.
//!
//! From the mark on no verb finds the workspace or a webhook of it. Its webhooks are buried in bounded steps before
//! the verb answers; what else it had is removed by retention.

use rusqlite::{Row, params};
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::{Answer, StoreError};

use super::{delete_webhook, find};
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use crate::job::Growth;
use crate::meta;
use crate::queue::Admission;
use crate::row::Fields;
use crate::store::Writing;
use crate::write::Write;

pub(crate) const SELECT_WEBHOOKS: &str =
    "SELECT id FROM webhook WHERE workspace = ?1 AND deleted_at IS NULL ORDER BY id LIMIT ?2";
pub(crate) const SELECT_NEWEST_CREDENTIAL: &str =
    "SELECT coalesce(max(id), 0) FROM credential WHERE workspace = ?1";
pub(crate) const DELETE_CREDENTIALS: &str = "DELETE FROM credential WHERE workspace = ?1";
pub(crate) const SELECT_NEWEST_OPERATOR_KEY: &str =
    "SELECT coalesce(max(id), 0) FROM operator_key WHERE workspace = ?1";
pub(crate) const DELETE_OPERATOR_KEYS: &str = "DELETE FROM operator_key WHERE workspace = ?1";
/// Answers that may hold secrets. The others may be many; nobody finds them any more, and they go when they expire.
pub(crate) const DELETE_SEALED: &str =
    "DELETE FROM once INDEXED BY once_sealed WHERE workspace = ?1 AND sealed IS NOT NULL";
pub(crate) const UPDATE: &str = "UPDATE workspace
    SET erased_at = ?2, name = '', features = x'00', retry_schedule = NULL, timeout_ms = NULL,
        event_age_s = NULL, payload_age_s = NULL, bytes_max = NULL
    WHERE id = ?1";
pub(crate) const SELECT_ERASED_AT: &str = "SELECT id, erased_at FROM workspace WHERE id = ?1";
/// Every verb that writes asks for the head: without it the workspace does not exist for them.
pub(crate) const DELETE_HEAD: &str = "DELETE FROM head WHERE workspace = ?1";
pub(crate) const INSERT_REST: &str =
    "INSERT INTO rest (workspace, upto) VALUES (?1, (SELECT coalesce(max(id), 0) FROM message))";

/// Webhooks buried in one commit: some 5 ms.
pub(crate) const BURIED_MAX: usize = 500;
/// What a step weighs in a commit, in bytes: enough that few neighbours share one.
const STEP_BYTES: usize = 256 * 1024;

/// Marks the workspace and buries its first webhooks.
pub(crate) fn begin(write: &mut Write<'_>, params: EraseWorkspace) -> Result<Vec<WebhookId>, Failure> {
    let EraseWorkspace { workspace, at } = params;
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(StoreError::Missing("workspace").into());
    }
    for newest in [SELECT_NEWEST_CREDENTIAL, SELECT_NEWEST_OPERATOR_KEY] {
        let newest: i64 = write.statement(newest)?.query_row([workspace.raw()], |row| row.get(0))?;
        meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest)?;
    }
    for delete in [DELETE_CREDENTIALS, DELETE_OPERATOR_KEYS, DELETE_SEALED] {
        write.statement(delete)?.execute([workspace.raw()])?;
    }
    write.statement(UPDATE)?.execute(params![workspace.raw(), at.as_ms()])?;
    write.statement(DELETE_HEAD)?.execute([workspace.raw()])?;
    write.statement(INSERT_REST)?.execute([workspace.raw()])?;
    write.forget_head(workspace);
    bury(write, workspace)
}

/// Buries the rest of the webhooks, each step in a commit that others may share.
pub(super) async fn complete(
    writing: Writing,
    workspace: WorkspaceId,
    begun: Answer<Vec<WebhookId>>,
) -> Result<Vec<WebhookId>, StoreError> {
    let mut ended = begun.await?;
    let mut buried = ended.len();
    while buried == BURIED_MAX {
        let admission = (Admission::Always, Growth::Needed);
        let more = writing.write(admission, STEP_BYTES, move |write| bury(write, workspace)).await?;
        buried = more.len();
        ended.extend(more);
    }
    Ok(ended)
}

/// Buries up to [`BURIED_MAX`] webhooks of an erased workspace; fewer when there are no more.
pub(crate) fn bury(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<Vec<WebhookId>, Failure> {
    let id = |row: &Row<'_>| Fields::new(row, "webhook", 1).integer("id").map(WebhookId::from_raw);
    let limit = i64::try_from(BURIED_MAX).expect("small");
    let webhooks = fetch_all(write.connection, SELECT_WEBHOOKS, [workspace.raw(), limit], id)?;
    if webhooks.is_empty() {
        return Ok(webhooks);
    }
    let at = erased_at(write, workspace)?;
    for webhook in &webhooks {
        // Nothing of theirs will be born any more, so the cut may stand above everything.
        delete_webhook::bury(write, *webhook, Sequence(i64::MAX), at)?;
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
