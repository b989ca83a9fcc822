//! `credential_by_hash`. The workspace is asked too: erasing it takes a while to come to every credential.

use rusqlite::Connection;
use signalpost_core::credential::{Credential, CredentialHash};

use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row;
use signalpost_store::row::credential_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM credential c WHERE hash = ?1 AND EXISTS (
        SELECT 1 FROM workspace w WHERE w.id = c.workspace AND w.erased_at IS NULL)"
);

pub(super) fn run(connection: &Connection, hash: CredentialHash) -> Result<Option<Credential>, Failure> {
    fetch_one(connection, SELECT, [hash.0], row::credential)
}
