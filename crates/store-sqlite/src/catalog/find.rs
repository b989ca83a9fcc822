//! Finding one living workspace or webhook.

use rusqlite::{Connection, params};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::webhook::Webhook;
use signalpost_core::workspace::Workspace;

use crate::failure::Failure;
use crate::fetch::{exists, fetch_one};
use signalpost_store::row;
use signalpost_store::row::{webhook_columns, workspace_columns};

pub(crate) const SELECT_WORKSPACE: &str =
    concat!("SELECT ", workspace_columns!(), " FROM workspace w WHERE w.id = ?1 AND w.erased_at IS NULL");
pub(crate) const SELECT_WORKSPACE_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM workspace w WHERE w.public_id = ?1 AND w.erased_at IS NULL"
);
pub(crate) const WORKSPACE_LIVES: &str = "SELECT 1 FROM workspace WHERE id = ?1 AND erased_at IS NULL";
pub(crate) const SELECT_WEBHOOK: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.id = ?1 AND h.workspace = ?2 AND h.deleted_at IS NULL AND w.erased_at IS NULL"
);
pub(crate) const SELECT_WEBHOOK_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.workspace = ?1 AND h.public_id = ?2 AND h.deleted_at IS NULL AND w.erased_at IS NULL"
);

pub(crate) fn workspace(connection: &Connection, id: WorkspaceId) -> Result<Option<Workspace>, Failure> {
    fetch_one(connection, SELECT_WORKSPACE, [id.raw()], row::workspace)
}

pub(crate) fn workspace_by_public_id(
    connection: &Connection,
    public_id: &str,
) -> Result<Option<Workspace>, Failure> {
    fetch_one(connection, SELECT_WORKSPACE_BY_PUBLIC_ID, [public_id], row::workspace)
}

pub(crate) fn workspace_lives(connection: &Connection, id: WorkspaceId) -> Result<bool, Failure> {
    exists(connection, WORKSPACE_LIVES, [id.raw()])
}

/// A webhook of this workspace. The workspace is asked too: erasing it takes a while to come to every webhook.
pub(crate) fn webhook(
    connection: &Connection,
    workspace: WorkspaceId,
    id: WebhookId,
) -> Result<Option<Webhook>, Failure> {
    fetch_one(connection, SELECT_WEBHOOK, [id.raw(), workspace.raw()], row::webhook)
}

pub(crate) fn webhook_by_public_id(
    connection: &Connection,
    workspace: WorkspaceId,
    public_id: &str,
) -> Result<Option<Webhook>, Failure> {
    fetch_one(connection, SELECT_WEBHOOK_BY_PUBLIC_ID, params![workspace.raw(), public_id], row::webhook)
}
