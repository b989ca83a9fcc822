//! `operator_session_by_hash`: a session as its opener is now.

use rusqlite::Connection;
use signalpost_core::credential::CredentialHash;
use signalpost_store::desk::OpenOperatorSession;
use signalpost_store::row;
use signalpost_store::row::operator_session_columns;

use super::from_open_sessions;
use crate::failure::Failure;
use crate::fetch::fetch_one;

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_session_columns!(), from_open_sessions!(), " AND s.hash = ?1");

pub(super) fn run(
    connection: &Connection,
    hash: CredentialHash,
) -> Result<Option<OpenOperatorSession>, Failure> {
    fetch_one(connection, SELECT, [hash.0], row::operator_session)
}
