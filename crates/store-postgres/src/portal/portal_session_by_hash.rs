//! `portal_session_by_hash`: a session of a workspace that is there.

use signalpost_core::credential::CredentialHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_store::row;
use signalpost_store::row::portal_session_columns;

use crate::catalog::away::{HAS_PORTAL_SESSION_AWAY, or_away};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    portal_session_columns!(),
    " FROM portal_session s WHERE s.hash = $1 AND EXISTS (
        SELECT 1 FROM workspace w WHERE w.id = s.workspace AND w.erased_at IS NULL)"
);

pub(super) async fn run(session: &Session, hash: CredentialHash) -> Result<Option<PortalSession>, Failure> {
    let hash = hash.0.as_slice();
    let found = session.one(SELECT, &[&hash], row::portal_session).await?;
    or_away(session, found, (HAS_PORTAL_SESSION_AWAY, &[&hash])).await
}
