//! `create_signing_key`. No webhook is changed, and nothing for fan-out.

use signalpost_core::limits::SIGNING_KEYS_MAX;
use signalpost_core::signing_key::SigningKey;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

/// Deleted ones count too.
pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM signing_key WHERE workspace = $1 AND public_id = $2";
/// The last key that a workspace may have; deleted ones do not count.
pub(crate) const IS_FULL: &str =
    "SELECT 1 FROM signing_key WHERE workspace = $1 AND deleted_at IS NULL LIMIT 1 OFFSET $2";
pub(crate) const INSERT: &str = "INSERT INTO signing_key
    (id, workspace, public_id, sealed, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) async fn run(write: &mut Write<'_>, key: &SigningKey) -> Result<(), Failure> {
    write.lock(key.workspace).await?;
    let workspace = key.workspace.raw();
    if write.version(key.workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    if write.exists(IS_TAKEN, &[&workspace, &key.public_id]).await? {
        return Err(StoreError::Taken("signing key id").into());
    }
    if write.exists(IS_FULL, &[&workspace, &limit(SIGNING_KEYS_MAX - 1)]).await? {
        return Err(StoreError::LimitReached { what: "signing keys", limit: SIGNING_KEYS_MAX }.into());
    }
    write
        .execute(
            INSERT,
            &[
                &key.id.raw(),
                &workspace,
                &key.public_id,
                &key.sealed.as_bytes(),
                &key.created_at.as_ms(),
                &key.updated_at.as_ms(),
            ],
        )
        .await?;
    write.news.note_id(key.id.raw());
    Ok(())
}
