//! Passwords of whoever signs in: hashed and compared where heavy work is done, and guessed slowly.

use sha2::{Digest, Sha256};
use signalpost_core::error::Error;
use signalpost_core::limits::{LOGIN_FAILURE_S, LOGIN_FAILURES_BURST};
use signalpost_core::password::{PasswordHash, SALT_BYTES};
use signalpost_core::ports::Asker;
use signalpost_core::rate::RateLimit;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;

use crate::Engine;
use crate::limiter::{Limiter, Taken};

impl Engine {
    /// Whether a password is the known one. Where none is known it is not, after the same work: the decoy has none.
    pub(crate) async fn is_password(
        &self,
        asker: Asker,
        known: Option<&PasswordHash>,
        password: &Secret,
    ) -> Result<bool, Error> {
        let hash = known.map_or_else(PasswordHash::decoy, PasswordHash::clone);
        let password = password.clone();
        self.find_out(asker, move || hash.verify(&password)).await?.map_err(Error::internal)
    }

    pub(crate) async fn hash_of(&self, password: &Secret) -> Result<PasswordHash, Error> {
        let mut salt = [0u8; SALT_BYTES];
        self.random.fill(&mut salt);
        let password = password.clone();
        let hash = self.find_out(Asker::Operator, move || PasswordHash::of(&password, salt)).await?;
        hash.map_err(Error::internal)
    }
}

/// Wrong passwords by username, whether or not there is one of this name: else it would show which ones there are.
#[derive(Default)]
pub(crate) struct WrongPasswords(Limiter<[u8; 32]>);

const FAILURES: RateLimit = RateLimit { per_s: 1, burst: LOGIN_FAILURE_S * LOGIN_FAILURES_BURST };

impl WrongPasswords {
    /// Counts a guess before it is looked at, so that many at once are no way around the limit. Names of one `realm` have
    /// nothing to do with those of another.
    pub(crate) fn suspect(
        &self,
        realm: &str,
        username: &str,
        now: Timestamp,
    ) -> Result<Taken<[u8; 32]>, Error> {
        // A hash, for callers may send long names.
        let name = Sha256::new().chain_update(realm).chain_update([0]).chain_update(username);
        let name: [u8; 32] = name.finalize().into();
        let message = "too many logins with a wrong password were tried for this username";
        let too_many = |retry_after_s| Error::too_fast(message, retry_after_s);
        self.0.take_many(name, LOGIN_FAILURE_S, FAILURES, now).map_err(too_many)
    }

    /// What turned out to be no wrong password does not count.
    pub(crate) fn acquit(&self, guess: Taken<[u8; 32]>, now: Timestamp) {
        self.0.put_back(guess, now);
    }
}
