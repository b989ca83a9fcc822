//! The operator's key.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::extract::Request;
use http::HeaderMap;
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::scope::{Scope, permits};
use signalpost_core::secret::Secret;

use crate::kit::auth::bearer;
use crate::kit::operation::Access;

/// Who may use the operator side, and whether the process still wants work.
#[derive(Clone, Debug)]
pub struct OperatorAccess {
    /// Hash of the key that opens everything.
    pub key_hash: CredentialHash,
    /// Set once the process is stopping: `/readyz` says so, everything else goes on.
    pub draining: Arc<AtomicBool>,
}

/// Who calls, in a request's extensions once its key was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Principal {
    scopes: &'static [Scope],
}

/// Holder of the key that opens everything.
const ROOT: Principal = Principal { scopes: &[Scope::Admin] };

/// The one place where rights are enforced: it stands before every handler of this surface.
pub(super) fn permit(request: &Request, access: Access) -> Result<(), Error> {
    let needed = match access {
        Access::Open => return Ok(()),
        Access::Credential => Scope::Admin,
        Access::Scope(scope) => scope,
    };
    let held = request.extensions().get::<Principal>().map_or(&[][..], |principal| principal.scopes);
    if permits(held, needed) {
        return Ok(());
    }
    let held: Vec<&str> = held.iter().map(|scope| scope.name()).collect();
    let message = format!(
        "this call needs a key with the scope `{}`; this key has `{}`",
        needed.name(),
        held.join(", ")
    );
    Err(Error::new(ErrorCode::Forbidden, message))
}

impl OperatorAccess {
    /// `Unauthenticated` unless the request carries the operator's key. Hashes are compared, in constant time.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Principal, Error> {
        let key_hash = Secret::new(self.key_hash.0.to_vec());
        let presented = bearer(headers).map(CredentialHash::of);
        if presented.is_some_and(|presented| key_hash.matches(&presented.0)) {
            return Ok(ROOT);
        }
        let message = "the operator key is missing or wrong; send `Authorization: Bearer <key>`";
        Err(Error::new(ErrorCode::Unauthenticated, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn allowed(scopes: Option<&'static [Scope]>, access: Access) -> bool {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().extend(
            scopes
                .map(|scopes| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(Principal { scopes });
                    extensions
                })
                .unwrap_or_default(),
        );
        permit(&request, access).is_ok()
    }

    #[test]
    fn a_call_needs_its_scope_and_nobody_is_nobody() {
        assert!(allowed(Some(&[Scope::Read]), Access::Scope(Scope::Read)));
        assert!(allowed(Some(&[Scope::Admin]), Access::Scope(Scope::Publish)));
        assert!(!allowed(Some(&[Scope::Read]), Access::Scope(Scope::Publish)));
        assert!(!allowed(Some(&[Scope::Publish, Scope::Read]), Access::Scope(Scope::Admin)));
        assert!(!allowed(None, Access::Scope(Scope::Read)), "a request that nobody judged");
        assert!(allowed(None, Access::Open));
    }
}
