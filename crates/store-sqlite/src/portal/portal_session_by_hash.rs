//! `portal_session_by_hash`: a session of a workspace that is there.

use rusqlite::Connection;
use signalpost_core::credential::CredentialHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_store::row;
use signalpost_store::row::portal_session_columns;

use crate::failure::Failure;
use crate::fetch::fetch_one;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    portal_session_columns!(),
    " FROM portal_session s WHERE s.hash = ?1 AND EXISTS (
        SELECT 1 FROM workspace w WHERE w.id = s.workspace AND w.erased_at IS NULL)"
);

pub(super) fn run(connection: &Connection, hash: CredentialHash) -> Result<Option<PortalSession>, Failure> {
    fetch_one(connection, SELECT, [hash.0], row::portal_session)
}
