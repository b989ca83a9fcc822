//! `owner_of`: whose a delivery is, and nothing else of it.

use rusqlite::Connection;
use signalpost_core::id::{DeliveryId, WorkspaceId};

use crate::catalog::find;
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::row::{Fields, targets};

pub(crate) const SELECT: &str = "SELECT id, workspace, targets FROM message WHERE id = ?1";

pub(super) fn run(connection: &Connection, id: DeliveryId) -> Result<Option<WorkspaceId>, Failure> {
    let found = fetch_one(connection, SELECT, [id.event.raw()], |row| {
        let mut fields = Fields::new(row, "message", 1);
        fields.skip();
        let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
        Ok((workspace, targets(&mut fields)?))
    })?;
    let owner = found.filter(|(_, targets)| targets.contains(&id.webhook)).map(|(workspace, _)| workspace);
    match owner {
        Some(workspace) if find::workspace_lives(connection, workspace)? => Ok(Some(workspace)),
        _ => Ok(None),
    }
}
