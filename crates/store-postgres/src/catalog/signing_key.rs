//! `signing_key` and `list_signing_keys`, and finding one for other verbs. Deleted ones are not found.

use signalpost_core::id::{SigningKeyId, WorkspaceId};
use signalpost_core::signing_key::SigningKey;
use signalpost_store::row;
use signalpost_store::row::signing_key_columns;

use super::find;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE id = $1 AND workspace = $2 AND deleted_at IS NULL"
);
pub(crate) const SELECT_BY_PUBLIC_ID: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE workspace = $1 AND public_id = $2 AND deleted_at IS NULL"
);
/// There are [`signalpost_core::limits::SIGNING_KEYS_MAX`] at most.
pub(crate) const SELECT_ALL: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE workspace = $1 AND deleted_at IS NULL ORDER BY id"
);

pub(super) async fn by_public_id(
    session: &Session,
    workspace: WorkspaceId,
    public_id: &str,
) -> Result<Option<SigningKey>, Failure> {
    if !find::workspace_lives(session, workspace).await? {
        return Ok(None);
    }
    session.one(SELECT_BY_PUBLIC_ID, &[&workspace.raw(), &public_id], row::signing_key).await
}

pub(super) async fn list(session: &Session, workspace: WorkspaceId) -> Result<Vec<SigningKey>, Failure> {
    if !find::workspace_lives(session, workspace).await? {
        return Ok(Vec::new());
    }
    session.all(SELECT_ALL, &[&workspace.raw()], row::signing_key).await
}

/// Whether the workspace lives is the caller's business.
pub(super) async fn by_id(
    session: &Session,
    workspace: WorkspaceId,
    id: SigningKeyId,
) -> Result<Option<SigningKey>, Failure> {
    session.one(SELECT, &[&id.raw(), &workspace.raw()], row::signing_key).await
}
