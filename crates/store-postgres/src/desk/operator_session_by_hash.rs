//! `operator_session_by_hash`: a session as its opener is now.

use signalpost_core::credential::CredentialHash;
use signalpost_store::desk::OpenOperatorSession;
use signalpost_store::row;
use signalpost_store::row::operator_session_columns;

use super::from_open_sessions;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_session_columns!(), from_open_sessions!(), " AND s.hash = $1");

pub(super) async fn run(
    session: &Session,
    hash: CredentialHash,
) -> Result<Option<OpenOperatorSession>, Failure> {
    session.one(SELECT, &[&hash.0.as_slice()], row::operator_session).await
}
