//! What somebody was let in by, to be looked at once more before what they ask for happens.
//!
//! Between a request's head and the end of its body there is time for a revocation. Whoever was let in before it is
//! told so after it.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::time::Timestamp;
use signalpost_store::Answer;

use crate::Engine;
use crate::desk::sessions::KnownOperatorSession;
use crate::hash_cache::HashCache;
use crate::sessions::KnownSession;

/// The result of a judgement, by which it can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub(crate) realm: Realm,
    pub(crate) hash: CredentialHash,
    /// Of the realm's cache, as of the judgement: while it stands nothing was revoked.
    pub(crate) generation: u64,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Whose credentials, or sessions, these are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Realm {
    Operators,
    Customers,
    Users,
    Desk,
    Portal,
}

impl Engine {
    /// `Unauthenticated` when what the pass was given for has been revoked or has expired since. Asks the store only
    /// when something was revoked meanwhile, or this node may have missed that.
    pub async fn confirm(&self, pass: &Pass) -> Result<(), Error> {
        let hash = pass.hash;
        let valid_until = match pass.realm {
            Realm::Operators => {
                let load = || self.store.operator_key_by_hash(hash);
                end_of(&self.operator_keys, pass, load, |key: &OperatorKey| key.expires_at).await?
            }
            Realm::Customers => {
                let load = || self.store.credential_by_hash(hash);
                end_of(&self.credentials, pass, load, |credential: &Credential| credential.expires_at).await?
            }
            Realm::Users => {
                let load = || self.load_session(hash);
                end_of(&self.sessions, pass, load, |known: &KnownSession| Some(known.expires_at())).await?
            }
            Realm::Desk => {
                let load = || self.load_operator_session(hash);
                let end = |known: &KnownOperatorSession| Some(known.session().expires_at);
                end_of(&self.operator_sessions, pass, load, end).await?
            }
            Realm::Portal => {
                let load = || self.store.portal_session_by_hash(hash);
                end_of(&self.portal_sessions, pass, load, |known: &PortalSession| Some(known.expires_at))
                    .await?
            }
        };
        let now = self.clock.now();
        match valid_until {
            Some(end) if end.is_none_or(|end| now < end) => Ok(()),
            _ => {
                let message = "the credential was revoked, or has expired, while the request was arriving";
                Err(Error::new(ErrorCode::Unauthenticated, message))
            }
        }
    }
}

/// When what was judged ends now, if it does; nothing when it is gone.
async fn end_of<T>(
    cache: &HashCache<T>,
    pass: &Pass,
    load: impl FnOnce() -> Answer<Option<T>>,
    end: fn(&T) -> Option<Timestamp>,
) -> Result<Option<Option<Timestamp>>, Error> {
    if cache.stands(pass.generation) {
        return Ok(Some(pass.expires_at));
    }
    let found = cache.find(pass.hash, load).await?;
    Ok(found.map(|(found, _)| end(&found)))
}
