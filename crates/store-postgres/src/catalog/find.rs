//! Finding one living workspace or webhook. `Moving` where it has just left for another cell.

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::webhook::Webhook;
use signalpost_core::workspace::Workspace;
use signalpost_store::row;
use signalpost_store::row::{webhook_columns, workspace_columns};

use super::away::{IS_NAMED_AWAY, or_away, workspace_or_away};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT_WORKSPACE: &str =
    concat!("SELECT ", workspace_columns!(), " FROM workspace w WHERE w.id = $1 AND w.erased_at IS NULL");
pub(crate) const SELECT_WORKSPACE_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    workspace_columns!(),
    " FROM workspace w WHERE w.public_id = $1 AND w.erased_at IS NULL"
);
pub(crate) const WORKSPACE_LIVES: &str = "SELECT 1 FROM workspace WHERE id = $1 AND erased_at IS NULL";
pub(crate) const SELECT_WEBHOOK: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.id = $1 AND h.workspace = $2 AND h.deleted_at IS NULL AND w.erased_at IS NULL"
);
pub(crate) const SELECT_WEBHOOK_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.workspace = $1 AND h.public_id = $2 AND h.deleted_at IS NULL AND w.erased_at IS NULL"
);

pub(crate) async fn workspace(session: &Session, id: WorkspaceId) -> Result<Option<Workspace>, Failure> {
    let found = session.one(SELECT_WORKSPACE, &[&id.raw()], row::workspace).await?;
    workspace_or_away(session, found, id).await
}

pub(crate) async fn workspace_by_public_id(
    session: &Session,
    public_id: &str,
) -> Result<Option<Workspace>, Failure> {
    let found = session.one(SELECT_WORKSPACE_BY_PUBLIC_ID, &[&public_id], row::workspace).await?;
    or_away(session, found, (IS_NAMED_AWAY, &[&public_id])).await
}

pub(crate) async fn workspace_lives(session: &Session, id: WorkspaceId) -> Result<bool, Failure> {
    let found = session.exists(WORKSPACE_LIVES, &[&id.raw()]).await?.then_some(());
    Ok(workspace_or_away(session, found, id).await?.is_some())
}

/// A webhook of this workspace. The workspace is asked too: erasing it takes a while to come to every webhook.
pub(crate) async fn webhook(
    session: &Session,
    workspace: WorkspaceId,
    id: WebhookId,
) -> Result<Option<Webhook>, Failure> {
    session.one(SELECT_WEBHOOK, &[&id.raw(), &workspace.raw()], row::webhook).await
}

pub(crate) async fn webhook_by_public_id(
    session: &Session,
    workspace: WorkspaceId,
    public_id: &str,
) -> Result<Option<Webhook>, Failure> {
    session.one(SELECT_WEBHOOK_BY_PUBLIC_ID, &[&workspace.raw(), &public_id], row::webhook).await
}
