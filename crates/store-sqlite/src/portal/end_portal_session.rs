//! `end_portal_session`.

use rusqlite::params;
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_store::StoreError;

use super::remove;
use crate::failure::Failure;
use crate::fetch::exists;
use crate::write::Write;

pub(crate) const EXISTS: &str = "SELECT 1 FROM portal_session WHERE id = ?1 AND workspace = ?2";

pub(super) fn run(
    write: &Write<'_>,
    workspace: WorkspaceId,
    session: PortalSessionId,
) -> Result<(), Failure> {
    if !exists(write.connection, EXISTS, params![session.raw(), workspace.raw()])? {
        return Err(StoreError::Missing("portal session").into());
    }
    remove::one(write, session.raw())
}
