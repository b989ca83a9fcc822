//! `open_session`: one for each user, so a new one takes the place of the one before.

use rusqlite::params;
use signalpost_core::credential::CredentialHash;
use signalpost_core::user::Session;
use signalpost_store::StoreError;

use super::user;
use crate::failure::Failure;
use crate::fetch::exists;
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM session WHERE hash = ?1";
pub(crate) const REPLACE: &str =
    "INSERT OR REPLACE INTO session (user, hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";

pub(super) fn run(write: &Write<'_>, session: &Session, hash: CredentialHash) -> Result<(), Failure> {
    if !user::lives(write.connection, session.user)? {
        return Err(StoreError::Missing("user").into());
    }
    check_new(write, hash)?;
    replace(write, session, hash)
}

/// Nobody's session may go for another's.
pub(super) fn check_new(write: &Write<'_>, hash: CredentialHash) -> Result<(), Failure> {
    if exists(write.connection, IS_TAKEN, [hash.0])? {
        return Err(StoreError::Taken("session").into());
    }
    Ok(())
}

pub(super) fn replace(write: &Write<'_>, session: &Session, hash: CredentialHash) -> Result<(), Failure> {
    let Session { user, created_at, expires_at } = session;
    let values = params![user.raw(), hash.0, created_at.as_ms(), expires_at.as_ms()];
    write.statement(REPLACE)?.execute(values)?;
    Ok(())
}
