//! `session_by_hash`: a session with its user and all that the user may do.

use rusqlite::Connection;
use signalpost_core::credential::CredentialHash;
use signalpost_store::catalog::OpenSession;

use super::user;
use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row;
use signalpost_store::row::user_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", s.created_at, s.expires_at FROM session s CROSS JOIN user u ON u.id = s.user WHERE s.hash = ?1"
);

pub(super) fn run(connection: &Connection, hash: CredentialHash) -> Result<Option<OpenSession>, Failure> {
    let found = fetch_one(connection, SELECT, [hash.0], row::user_with_session)?;
    let Some((user, session)) = found else { return Ok(None) };
    let rights = user::rights(connection, user.id)?;
    Ok((!rights.is_empty()).then_some(OpenSession { session, user, rights }))
}
