//! `delete_signing_key`: the secret goes, a tombstone with its id stays. Rows of webhooks that refer to the key are left
//! alone: wherever they are read, the reference is none.

use signalpost_core::signing_key::SigningKey;
use signalpost_store::StoreError;
use signalpost_store::catalog::DeleteSigningKey;
use signalpost_store::change::Change;

use super::signing_key;
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE signing_key
    SET sealed = NULL, deleted_at = $2, updated_at = $2, deleted_by = $3 WHERE id = $1";

/// Gives the key as it was until then.
pub(super) async fn run(write: &mut Write<'_>, params: &DeleteSigningKey) -> Result<SigningKey, Failure> {
    let DeleteSigningKey { workspace, key, at, by } = params;
    write.lock(*workspace).await?;
    if write.version(*workspace).is_none() {
        return Err(StoreError::Missing("signing key").into());
    }
    let last = signing_key::by_id(write, *workspace, *key).await?;
    let last = last.ok_or(StoreError::Missing("signing key"))?;
    write.execute(UPDATE, &[&key.raw(), &at.as_ms(), &by.to_text()]).await?;
    // Which webhooks refer to it nobody counts.
    write.note_change(Change::Workspace(*workspace));
    Ok(last)
}
