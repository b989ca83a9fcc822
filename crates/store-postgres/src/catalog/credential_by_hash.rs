//! `credential_by_hash`. The workspace is asked too: erasing it takes a while to come to every credential.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_store::row;
use signalpost_store::row::credential_columns;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM credential c WHERE hash = $1 AND EXISTS (
        SELECT 1 FROM workspace w WHERE w.id = c.workspace AND w.erased_at IS NULL)"
);

pub(super) async fn run(session: &Session, hash: CredentialHash) -> Result<Option<Credential>, Failure> {
    session.one(SELECT, &[&hash.0.as_slice()], row::credential).await
}
