//! `credential_by_hash`. The workspace is asked too: erasing it takes a while to come to every credential.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_store::row;
use signalpost_store::row::credential_columns;

use super::away::{HAS_CREDENTIAL_AWAY, or_away};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM credential c WHERE hash = $1 AND EXISTS (
        SELECT 1 FROM workspace w WHERE w.id = c.workspace AND w.erased_at IS NULL)"
);

pub(super) async fn run(session: &Session, hash: CredentialHash) -> Result<Option<Credential>, Failure> {
    let hash = hash.0.as_slice();
    let found = session.one(SELECT, &[&hash], row::credential).await?;
    or_away(session, found, (HAS_CREDENTIAL_AWAY, &[&hash])).await
}
