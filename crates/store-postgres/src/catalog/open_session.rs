//! `open_session`: one for each user, so a new one takes the place of the one before.

use signalpost_core::credential::CredentialHash;
use signalpost_core::user::Session;
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use super::user;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM session WHERE hash = $1";
pub(crate) const REPLACE: &str =
    "INSERT INTO session (\"user\", hash, created_at, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (\"user\") DO UPDATE
    SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at";

/// One that is still good.
pub(crate) const HAS_ONE: &str = "SELECT 1 FROM session WHERE \"user\" = $1 AND expires_at > $2";

pub(super) async fn run(
    write: &mut Write<'_>,
    session: &Session,
    hash: CredentialHash,
) -> Result<(), Failure> {
    write.lock_all(&[Locked::User(session.user)]).await?;
    user::check_stays(write, session.user).await?;
    if !user::lives(write, session.user).await? {
        return Err(StoreError::Missing("user").into());
    }
    check_new(write, hash).await?;
    if write.exists(HAS_ONE, &[&session.user.raw(), &session.created_at.as_ms()]).await? {
        write.note_change(Change::User(session.user));
    }
    replace(write, session, hash).await
}

/// Nobody's session may go for another's.
pub(super) async fn check_new(write: &Write<'_>, hash: CredentialHash) -> Result<(), Failure> {
    if write.exists(IS_TAKEN, &[&hash.0.as_slice()]).await? {
        return Err(StoreError::Taken("session").into());
    }
    Ok(())
}

pub(super) async fn replace(
    write: &Write<'_>,
    session: &Session,
    hash: CredentialHash,
) -> Result<(), Failure> {
    let Session { user, created_at, expires_at } = session;
    let hash = hash.0.as_slice();
    write.execute(REPLACE, &[&user.raw(), &hash, &created_at.as_ms(), &expires_at.as_ms()]).await?;
    Ok(())
}
