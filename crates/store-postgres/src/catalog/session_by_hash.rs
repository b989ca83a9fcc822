//! `session_by_hash`: a session with its user and all that the user may do.

use signalpost_core::credential::CredentialHash;
use signalpost_store::catalog::OpenSession;
use signalpost_store::row;
use signalpost_store::row::user_columns;

use super::away::{HAS_SESSION_AWAY, or_away};
use super::user;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", s.created_at, s.expires_at FROM session s JOIN \"user\" u ON u.id = s.user WHERE s.hash = $1"
);

pub(super) async fn run(session: &Session, hash: CredentialHash) -> Result<Option<OpenSession>, Failure> {
    let hash = hash.0.as_slice();
    let found = session.one(SELECT, &[&hash], row::user_with_session).await?;
    let Some((user, opened)) = found else { return Ok(None) };
    let rights = user::rights(session, user.id).await?;
    let open = (!rights.is_empty()).then_some(OpenSession { session: opened, user, rights });
    or_away(session, open, (HAS_SESSION_AWAY, &[&hash])).await
}
