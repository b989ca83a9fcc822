//! `erase_workspace`: ends a tenant. The row stays, so that its public id stays taken.

use rusqlite::params;
use signalpost_core::id::WebhookId;
use signalpost_store::StoreError;
use signalpost_store::catalog::EraseWorkspace;

use super::{delete_webhook, find};
use crate::failure::Failure;
use crate::fetch::fetch_all;
use crate::meta;
use crate::row::Fields;
use crate::write::Write;

pub(crate) const SELECT_WEBHOOKS: &str =
    "SELECT id FROM webhook WHERE workspace = ?1 AND deleted_at IS NULL ORDER BY id";
pub(crate) const SELECT_NEWEST_CREDENTIAL: &str =
    "SELECT coalesce(max(id), 0) FROM credential WHERE workspace = ?1";
pub(crate) const DELETE_CREDENTIALS: &str = "DELETE FROM credential WHERE workspace = ?1";
pub(crate) const UPDATE: &str = "UPDATE workspace
    SET erased_at = ?2, name = '', features = x'00', retry_schedule = NULL, timeout_ms = NULL WHERE id = ?1";
/// Every verb that writes asks for the head: without it the workspace does not exist for them.
pub(crate) const DELETE_HEAD: &str = "DELETE FROM head WHERE workspace = ?1";

pub(super) fn run(write: &mut Write<'_>, params: EraseWorkspace) -> Result<Vec<WebhookId>, Failure> {
    let EraseWorkspace { workspace, at } = params;
    if !find::workspace_lives(write.connection, workspace)? {
        return Err(StoreError::Missing("workspace").into());
    }
    let id = |row: &rusqlite::Row<'_>| Fields::new(row, "webhook", 1).integer("id").map(WebhookId::from_raw);
    let webhooks = fetch_all(write.connection, SELECT_WEBHOOKS, [workspace.raw()], id)?;
    let upto = write.sequence(workspace)?;
    let newest_credential: i64 =
        write.statement(SELECT_NEWEST_CREDENTIAL)?.query_row([workspace.raw()], |row| row.get(0))?;
    meta::raise(write.connection, meta::HIGHEST_DELETED_ID, newest_credential)?;
    write.statement(DELETE_CREDENTIALS)?.execute([workspace.raw()])?;
    for webhook in &webhooks {
        delete_webhook::bury(write, *webhook, upto, at)?;
    }
    write.statement(UPDATE)?.execute(params![workspace.raw(), at.as_ms()])?;
    write.statement(DELETE_HEAD)?.execute([workspace.raw()])?;
    write.forget_head(workspace);
    Ok(webhooks)
}
