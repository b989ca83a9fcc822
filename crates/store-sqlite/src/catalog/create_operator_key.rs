//! `create_operator_key`.

use rusqlite::params;
use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::OPERATOR_KEYS_MAX;
use signalpost_core::operator_key::OperatorKey;
use signalpost_store::StoreError;

use super::revoke_operator_key;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_one, limit};
use crate::write::Write;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::Fields;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_key WHERE hash = ?1";
/// The last key that a binding may have.
pub(crate) const IS_FULL: &str = "SELECT 1 FROM operator_key WHERE workspace IS ?1 LIMIT 1 OFFSET ?2";
pub(crate) const SELECT_EXPIRED: &str = "SELECT id FROM operator_key
    WHERE workspace IS ?1 AND expires_at <= ?2 ORDER BY expires_at, id LIMIT 1";
pub(crate) const INSERT: &str = "INSERT INTO operator_key
    (id, workspace, hash, name, scopes, rate_per_s, rate_burst, preview, created_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) fn run(write: &mut Write<'_>, key: &OperatorKey, hash: CredentialHash) -> Result<(), Failure> {
    if let Some(workspace) = key.workspace
        && write.version(workspace)?.is_none()
    {
        return Err(StoreError::Missing("workspace").into());
    }
    if exists(write.connection, IS_TAKEN, [hash.0])? {
        return Err(StoreError::Taken("operator key").into());
    }
    let workspace = key.workspace.map(|workspace| workspace.raw());
    if exists(write.connection, IS_FULL, params![workspace, limit(OPERATOR_KEYS_MAX - 1)])? {
        make_room(write, key)?;
    }
    let scopes: Vec<String> = key.scopes.iter().map(|scope| scope.name().to_owned()).collect();
    write.statement(INSERT)?.execute(params![
        key.id.raw(),
        workspace,
        hash.0,
        key.name,
        pack_texts(&scopes),
        key.rate.map(|rate| rate.per_s),
        key.rate.map(|rate| rate.burst),
        key.preview,
        key.created_at.as_ms(),
        key.expires_at.map(|at| at.as_ms()),
    ])?;
    write.news.note_id(key.id.raw());
    Ok(())
}

/// Removes the key of the same binding that expired first.
fn make_room(write: &mut Write<'_>, key: &OperatorKey) -> Result<(), Failure> {
    let workspace = key.workspace.map(|workspace| workspace.raw());
    let values = params![workspace, key.created_at.as_ms()];
    let expired = fetch_one(write.connection, SELECT_EXPIRED, values, |row| {
        Fields::new(row, "operator_key", 1).integer("id")
    })?;
    match expired {
        Some(id) => revoke_operator_key::remove(write, id),
        None => Err(StoreError::WrongState("there are too many operator keys, revoke some").into()),
    }
}
