//! `list_credentials`: oldest first.

use signalpost_core::credential::Credential;
use signalpost_core::id::WorkspaceId;
use signalpost_store::row;
use signalpost_store::row::credential_columns;

use super::find;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    concat!("SELECT ", credential_columns!(), " FROM credential WHERE workspace = $1 ORDER BY id");

pub(super) async fn run(session: &Session, workspace: WorkspaceId) -> Result<Vec<Credential>, Failure> {
    // Erasing it takes a while to come to every credential.
    if !find::workspace_lives(session, workspace).await? {
        return Ok(Vec::new());
    }
    session.all(SELECT, &[&workspace.raw()], row::credential).await
}
