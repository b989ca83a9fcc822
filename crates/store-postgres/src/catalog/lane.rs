//! `lane`: a webhook, the key that signs for it, its workspace and its cuts.

use signalpost_core::id::WebhookId;
use signalpost_store::catalog::LaneRecord;
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

use super::{close_workspace, find, signing_key};
use crate::failure::Failure;
use crate::ledger::history;
use crate::session::Session;

/// For one that is moving nothing is begun.
pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.id = $1 AND h.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM moving v WHERE v.workspace = h.workspace OFFSET 0)"
);

pub(super) async fn run(session: &Session, id: WebhookId) -> Result<Option<LaneRecord>, Failure> {
    let Some(webhook) = session.one(SELECT, &[&id.raw()], row::webhook).await? else { return Ok(None) };
    // Erasing a workspace takes a while to come to every webhook.
    let workspace = match find::workspace(session, webhook.workspace).await? {
        Some(workspace) => Some(workspace),
        None => close_workspace::workspace_left(session, id).await?,
    };
    let Some(workspace) = workspace else { return Ok(None) };
    let signing_key = match webhook.signing_key {
        Some(key) => signing_key::by_id(session, workspace.id, key).await?,
        None => None,
    };
    let cuts = history::cuts(session, id).await?;
    Ok(Some(LaneRecord { webhook, signing_key, workspace, cuts }))
}
