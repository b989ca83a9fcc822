//! `owner_of`: whose something is that is known by its name alone, and nothing else of it.

use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_store::Named;

use crate::catalog::away::{HAS_SIGNING_KEY_AWAY, HAS_WEBHOOK_AWAY, or_away};
use crate::catalog::find;
use crate::failure::Failure;
use crate::session::Session;
use signalpost_store::row::{Fields, targets};

pub(crate) const SELECT_OF_DELIVERY: &str = "SELECT id, workspace, targets FROM message WHERE id = $1";
pub(crate) const SELECT_OF_WEBHOOK: &str =
    "SELECT h.id, h.workspace FROM webhook h JOIN workspace w ON w.id = h.workspace
    WHERE h.public_id = $1 AND h.deleted_at IS NULL AND w.dialect = $2 AND w.erased_at IS NULL
    ORDER BY h.id LIMIT 1";
pub(crate) const SELECT_OF_SIGNING_KEY: &str =
    "SELECT k.id, k.workspace FROM signing_key k JOIN workspace w ON w.id = k.workspace
    WHERE k.public_id = $1 AND k.deleted_at IS NULL AND w.dialect = $2 AND w.erased_at IS NULL
    ORDER BY k.id LIMIT 1";

pub(super) async fn run(session: &Session, named: &Named) -> Result<Option<WorkspaceId>, Failure> {
    match named {
        Named::Delivery(delivery) => of_delivery(session, *delivery).await,
        Named::Webhook { dialect, public_id } => {
            let found = owner(session, (SELECT_OF_WEBHOOK, "webhook"), dialect, public_id).await?;
            or_away(session, found, (HAS_WEBHOOK_AWAY, &[public_id, dialect])).await
        }
        Named::SigningKey { dialect, public_id } => {
            let found = owner(session, (SELECT_OF_SIGNING_KEY, "signing_key"), dialect, public_id).await?;
            or_away(session, found, (HAS_SIGNING_KEY_AWAY, &[public_id, dialect])).await
        }
    }
}

async fn of_delivery(session: &Session, id: DeliveryId) -> Result<Option<WorkspaceId>, Failure> {
    let found = session
        .one(SELECT_OF_DELIVERY, &[&id.event.raw()], |row| {
            let mut fields = Fields::new(row, "message", 1);
            fields.skip();
            let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
            Ok((workspace, targets(&mut fields)?))
        })
        .await?;
    let owner = found.filter(|(_, targets)| targets.contains(&id.webhook)).map(|(workspace, _)| workspace);
    match owner {
        Some(workspace) if find::workspace_lives(session, workspace).await? => Ok(Some(workspace)),
        _ => Ok(None),
    }
}

/// By a statement and the table that it reads.
async fn owner(
    session: &Session,
    (sql, table): (&'static str, &'static str),
    dialect: &str,
    public_id: &str,
) -> Result<Option<WorkspaceId>, Failure> {
    let found = session
        .one(sql, &[&public_id, &dialect], |row| {
            let mut fields = Fields::new(row, table, 1);
            fields.skip();
            fields.id("workspace").map(WorkspaceId::from_raw)
        })
        .await?;
    Ok(found)
}
