//! `lane`: a webhook, the key that signs for it, its workspace and its cuts.

use rusqlite::Connection;
use signalpost_core::id::WebhookId;
use signalpost_store::catalog::LaneRecord;

use super::{close_workspace, find, signing_key};
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::ledger::history;
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

pub(crate) const SELECT: &str =
    concat!("SELECT ", webhook_columns!(), " FROM webhook h WHERE h.id = ?1 AND h.deleted_at IS NULL");

pub(super) fn run(connection: &Connection, id: WebhookId) -> Result<Option<LaneRecord>, Failure> {
    let Some(webhook) = fetch_one(connection, SELECT, [id.raw()], row::webhook)? else { return Ok(None) };
    // Erasing a workspace takes a while to come to every webhook.
    let workspace = match find::workspace(connection, webhook.workspace)? {
        Some(workspace) => Some(workspace),
        None => close_workspace::workspace_left(connection, id)?,
    };
    let Some(workspace) = workspace else { return Ok(None) };
    let signing_key = match webhook.signing_key {
        Some(key) => signing_key::by_id(connection, workspace.id, key)?,
        None => None,
    };
    let cuts = history::cuts(connection, id)?;
    Ok(Some(LaneRecord { webhook, signing_key, workspace, cuts }))
}
