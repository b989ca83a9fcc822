//! `fan_out`: a workspace, its version and its active webhooks, on one snapshot.

use signalpost_core::id::WorkspaceId;
use signalpost_store::catalog::FanOut;
use signalpost_store::row;
use signalpost_store::row::{Fields, webhook_columns};

use super::find;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT_VERSION: &str = "SELECT workspace, version FROM head WHERE workspace = $1";
pub(crate) const SELECT_WEBHOOKS: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.workspace = $1 AND h.deleted_at IS NULL AND h.disabled_at IS NULL ORDER BY h.id"
);

pub(super) async fn run(session: &Session, id: WorkspaceId) -> Result<Option<FanOut>, Failure> {
    let Some(workspace) = find::workspace(session, id).await? else { return Ok(None) };
    let version = session
        .one(SELECT_VERSION, &[&id.raw()], |row| {
            let mut fields = Fields::new(row, "head", 1);
            fields.skip();
            fields.count("version")
        })
        .await?;
    let Some(version) = version else { return Ok(None) };
    let webhooks = session.all(SELECT_WEBHOOKS, &[&id.raw()], row::webhook).await?;
    Ok(Some(FanOut { workspace, version, webhooks }))
}
