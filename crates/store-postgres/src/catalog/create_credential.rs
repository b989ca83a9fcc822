//! `create_credential`.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_store::StoreError;
use signalpost_store::pack::pack_texts;

use crate::failure::Failure;
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM credential WHERE hash = $1";
pub(crate) const INSERT: &str = "INSERT INTO credential
    (id, workspace, hash, name, scopes, preview, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(super) async fn run(
    write: &mut Write<'_>,
    credential: &Credential,
    hash: CredentialHash,
) -> Result<(), Failure> {
    write.lock(credential.workspace).await?;
    if write.version(credential.workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    let hash = hash.0.as_slice();
    if write.exists(IS_TAKEN, &[&hash]).await? {
        return Err(StoreError::Taken("credential").into());
    }
    write
        .execute(
            INSERT,
            &[
                &credential.id.raw(),
                &credential.workspace.raw(),
                &hash,
                &credential.name,
                &pack_texts(&credential.scopes),
                &credential.preview,
                &credential.created_at.as_ms(),
                &credential.expires_at.map(|at| at.as_ms()),
            ],
        )
        .await?;
    write.news.note_id(credential.id.raw());
    Ok(())
}
