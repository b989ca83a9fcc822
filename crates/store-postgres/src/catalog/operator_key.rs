//! `operator_key` and `operator_key_by_hash`: one key, whatever its expiry says.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorKeyId;
use signalpost_core::operator_key::OperatorKey;
use signalpost_store::row;
use signalpost_store::row::operator_key_columns;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE id = $1");
pub(crate) const SELECT_BY_HASH: &str =
    concat!("SELECT ", operator_key_columns!(), " FROM operator_key WHERE hash = $1");

pub(crate) async fn run(session: &Session, key: OperatorKeyId) -> Result<Option<OperatorKey>, Failure> {
    session.one(SELECT, &[&key.raw()], row::operator_key).await
}

pub(super) async fn by_hash(session: &Session, hash: CredentialHash) -> Result<Option<OperatorKey>, Failure> {
    session.one(SELECT_BY_HASH, &[&hash.0.as_slice()], row::operator_key).await
}
