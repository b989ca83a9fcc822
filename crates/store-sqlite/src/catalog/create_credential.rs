//! `create_credential`.

use rusqlite::params;
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::fetch::exists;
use crate::write::Write;
use signalpost_store::pack::pack_texts;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM credential WHERE hash = ?1";
pub(crate) const INSERT: &str = "INSERT INTO credential
    (id, workspace, hash, name, scopes, preview, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) fn run(
    write: &mut Write<'_>,
    credential: &Credential,
    hash: CredentialHash,
) -> Result<(), Failure> {
    if write.version(credential.workspace)?.is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    if exists(write.connection, IS_TAKEN, [hash.0])? {
        return Err(StoreError::Taken("credential").into());
    }
    write.statement(INSERT)?.execute(params![
        credential.id.raw(),
        credential.workspace.raw(),
        hash.0,
        credential.name,
        pack_texts(&credential.scopes),
        credential.preview,
        credential.created_at.as_ms(),
        credential.expires_at.map(|at| at.as_ms()),
    ])?;
    write.news.note_id(credential.id.raw());
    Ok(())
}
