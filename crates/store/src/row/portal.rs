//! Customers at the portal.

use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::time::Timestamp;

use super::{Field, Fields, Row};

/// Of `portal_session s`.
#[macro_export]
macro_rules! portal_session_columns {
    () => {
        "s.id, s.workspace, s.rights, s.name, s.created_at, s.expires_at"
    };
}
pub use portal_session_columns;

pub fn portal_session(row: &Row<'_>) -> Field<PortalSession> {
    let mut fields = Fields::new(row, "portal_session", 1);
    let (id, workspace) = (fields.id("id")?, fields.id("workspace")?);
    let text = fields.text("rights")?;
    let rights = PortalRights::from_name(text)
        .ok_or_else(|| fields.corrupt("rights", format!("{text:?} is none that is known")))?;
    Ok(PortalSession {
        id: PortalSessionId::from_raw(id),
        workspace: WorkspaceId::from_raw(workspace),
        rights,
        name: fields.optional_text("name")?.map(str::to_owned),
        created_at: fields.time("created_at")?,
        expires_at: fields.time("expires_at")?,
    })
}

/// Columns of `workspace`: id, `portal_ended_at`.
pub fn portal_ended_at(row: &Row<'_>) -> Field<Option<Timestamp>> {
    let mut fields = Fields::new(row, "workspace", 1);
    fields.skip();
    fields.optional_time("portal_ended_at")
}
