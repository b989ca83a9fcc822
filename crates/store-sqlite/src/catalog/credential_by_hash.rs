//! `credential_by_hash`. Credentials of an erased workspace are gone, so the workspace need not be asked.

use rusqlite::Connection;
use signalpost_core::credential::{Credential, CredentialHash};

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::row;
use crate::row::credential_columns;

pub(crate) const SELECT: &str = concat!("SELECT ", credential_columns!(), " FROM credential WHERE hash = ?1");

pub(super) fn run(connection: &Connection, hash: CredentialHash) -> Result<Option<Credential>, Failure> {
    fetch_one(connection, SELECT, [hash.0], row::credential)
}
