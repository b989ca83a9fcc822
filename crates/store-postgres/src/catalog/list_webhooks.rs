//! `list_webhooks`: the living ones of a workspace, newest first.

use signalpost_store::catalog::{ListWebhooks, WebhookPage};
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

use super::find;
use crate::failure::Failure;
use crate::session::{Session, limit};

macro_rules! filter {
    () => {
        " FROM webhook h WHERE h.workspace = $1 AND h.deleted_at IS NULL
          AND ($2::text IS NULL OR h.subject = $2) AND ($3::boolean IS NULL OR (h.disabled_at IS NULL) = $3)"
    };
}
pub(crate) const COUNT: &str = concat!("SELECT count(*)", filter!());
pub(crate) const SELECT: &str =
    concat!("SELECT ", webhook_columns!(), filter!(), " AND h.id < $4 ORDER BY h.id DESC LIMIT $5 OFFSET $6");

pub(super) async fn run(session: &Session, params: &ListWebhooks) -> Result<WebhookPage, Failure> {
    let ListWebhooks { workspace, subject, active, before, offset, limit: rows } = params;
    if !find::workspace_lives(session, *workspace).await? {
        return Ok(WebhookPage { rows: Vec::new(), total: 0 });
    }
    let workspace = workspace.raw();
    let total = session.number(COUNT, &[&workspace, subject, active]).await?;
    let before = before.map_or(i64::MAX, |before| before.raw());
    let (rows, offset) = (limit(*rows), limit(*offset));
    let page =
        session.all(SELECT, &[&workspace, subject, active, &before, &rows, &offset], row::webhook).await?;
    Ok(WebhookPage { rows: page, total: u64::try_from(total).unwrap_or(0) })
}
