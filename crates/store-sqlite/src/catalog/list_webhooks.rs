//! `list_webhooks`: the living ones of a workspace, newest first.

use rusqlite::{Connection, params};
use signalpost_store::catalog::{ListWebhooks, WebhookPage};

use super::find;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

macro_rules! filter {
    () => {
        " FROM webhook h WHERE h.workspace = ?1 AND h.deleted_at IS NULL
          AND (?2 IS NULL OR h.subject = ?2) AND (?3 IS NULL OR (h.disabled_at IS NULL) = ?3)"
    };
}
pub(crate) const COUNT: &str = concat!("SELECT count(*)", filter!());
pub(crate) const SELECT: &str =
    concat!("SELECT ", webhook_columns!(), filter!(), " AND h.id < ?4 ORDER BY h.id DESC LIMIT ?5 OFFSET ?6");

pub(super) fn run(connection: &Connection, params: &ListWebhooks) -> Result<WebhookPage, Failure> {
    let ListWebhooks { workspace, subject, active, before, offset, limit: rows } = params;
    if !find::workspace_lives(connection, *workspace)? {
        return Ok(WebhookPage { rows: Vec::new(), total: 0 });
    }
    let total: i64 = connection
        .prepare_cached(COUNT)?
        .query_row(params![workspace.raw(), subject, active], |row| row.get(0))?;
    let before = before.map_or(i64::MAX, |before| before.raw());
    let values = params![workspace.raw(), subject, active, before, limit(*rows), limit(*offset)];
    let rows = fetch_all(connection, SELECT, values, row::webhook)?;
    Ok(WebhookPage { rows, total: u64::try_from(total).unwrap_or(0) })
}
