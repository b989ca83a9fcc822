//! `operator_key` and `operator_key_by_hash`: one key, whatever its expiry says.

use rusqlite::Connection;
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorKeyId;
use signalpost_core::operator_key::OperatorKey;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use signalpost_store::row;
use signalpost_store::row::operator_key_columns;

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE id = ?1");
pub(crate) const SELECT_BY_HASH: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE hash = ?1");

pub(crate) fn run(connection: &Connection, key: OperatorKeyId) -> Result<Option<OperatorKey>, Failure> {
    fetch_one(connection, SELECT, [key.raw()], row::operator_key)
}

pub(super) fn by_hash(connection: &Connection, hash: CredentialHash) -> Result<Option<OperatorKey>, Failure> {
    fetch_one(connection, SELECT_BY_HASH, [hash.0], row::operator_key)
}
