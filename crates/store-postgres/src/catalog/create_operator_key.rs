//! `create_operator_key`.

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::OPERATOR_KEYS_MAX;
use signalpost_core::operator_key::OperatorKey;
use signalpost_store::StoreError;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::Fields;

use super::revoke_operator_key;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::limit;
use crate::write::Write;

/// Keys of a binding, which may be none. Said so that both ways are found in the index.
macro_rules! of_binding {
    () => {
        " FROM operator_key WHERE (workspace = $1 OR ($1 IS NULL AND workspace IS NULL))"
    };
}

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_key WHERE hash = $1";
/// The last key that a binding may have.
pub(crate) const IS_FULL: &str = concat!("SELECT 1", of_binding!(), " LIMIT 1 OFFSET $2");
pub(crate) const SELECT_EXPIRED: &str =
    concat!("SELECT id", of_binding!(), " AND expires_at <= $2 ORDER BY expires_at, id LIMIT 1");
pub(crate) const INSERT: &str = "INSERT INTO operator_key
    (id, workspace, hash, name, scopes, rate_per_s, rate_burst, preview, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// What must be locked before a key is stored.
pub(super) fn locks_of(key: &OperatorKey) -> impl Iterator<Item = Locked> {
    let workspace = key.workspace.map(Locked::Workspace);
    std::iter::once(Locked::OperatorKeys(key.workspace)).chain(workspace)
}

pub(super) async fn run(
    write: &mut Write<'_>,
    key: &OperatorKey,
    hash: CredentialHash,
) -> Result<(), Failure> {
    write.lock_all(&locks_of(key).collect::<Vec<_>>()).await?;
    if key.workspace.is_some_and(|workspace| write.version(workspace).is_none()) {
        return Err(StoreError::Missing("workspace").into());
    }
    let hash = hash.0.as_slice();
    if write.exists(IS_TAKEN, &[&hash]).await? {
        return Err(StoreError::Taken("operator key").into());
    }
    let workspace = key.workspace.map(|workspace| workspace.raw());
    if write.exists(IS_FULL, &[&workspace, &limit(OPERATOR_KEYS_MAX - 1)]).await? {
        make_room(write, key).await?;
    }
    let scopes: Vec<String> = key.scopes.iter().map(|scope| scope.name().to_owned()).collect();
    write
        .execute(
            INSERT,
            &[
                &key.id.raw(),
                &workspace,
                &hash,
                &key.name,
                &pack_texts(&scopes),
                &key.rate.map(|rate| i64::from(rate.per_s)),
                &key.rate.map(|rate| i64::from(rate.burst)),
                &key.preview,
                &key.created_at.as_ms(),
                &key.expires_at.map(|at| at.as_ms()),
            ],
        )
        .await?;
    write.news.note_id(key.id.raw());
    Ok(())
}

/// Removes the key of the same binding that expired first.
async fn make_room(write: &Write<'_>, key: &OperatorKey) -> Result<(), Failure> {
    let workspace = key.workspace.map(|workspace| workspace.raw());
    let expired = write
        .one(SELECT_EXPIRED, &[&workspace, &key.created_at.as_ms()], |row| {
            Fields::new(row, "operator_key", 1).integer("id")
        })
        .await?;
    match expired {
        Some(id) => revoke_operator_key::remove(write, &[id]).await,
        None => Err(StoreError::WrongState("there are too many operator keys, revoke some").into()),
    }
}
