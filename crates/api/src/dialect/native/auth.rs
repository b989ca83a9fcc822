//! The operator's key.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::HeaderMap;
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::secret::Secret;

use crate::kit::auth::bearer;

/// Who may use the operator side, and whether the process still wants work.
#[derive(Clone, Debug)]
pub struct OperatorAccess {
    /// Hash of the key that opens everything.
    pub key_hash: CredentialHash,
    /// Set once the process is stopping: `/readyz` says so, everything else goes on.
    pub draining: Arc<AtomicBool>,
}

impl OperatorAccess {
    /// `Unauthenticated` unless the request carries the operator's key. Hashes are compared, in constant time.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Error> {
        let key_hash = Secret::new(self.key_hash.0.to_vec());
        let presented = bearer(headers).map(CredentialHash::of);
        if presented.is_some_and(|presented| key_hash.matches(&presented.0)) {
            return Ok(());
        }
        let message = "the operator key is missing or wrong; send `Authorization: Bearer <key>`";
        Err(Error::new(ErrorCode::Unauthenticated, message))
    }
}
