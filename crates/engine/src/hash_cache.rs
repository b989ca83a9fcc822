//! What was found by the hash of a secret, kept in memory. Any revocation forgets all of it: it is rare, and loading
//! one again is cheap.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::CREDENTIAL_CACHE_MAX;

#[derive(Debug)]
pub(crate) struct HashCache<T>(RwLock<Cached<T>>);

#[derive(Debug)]
struct Cached<T> {
    by_hash: HashMap<CredentialHash, Arc<T>>,
    /// Counts forgettings: what was loaded before one and arrives after it is not kept.
    generation: u64,
}

impl<T> Default for HashCache<T> {
    fn default() -> Self {
        Self(RwLock::new(Cached { by_hash: HashMap::new(), generation: 0 }))
    }
}

impl<T> HashCache<T> {
    /// What is known, else the generation to keep it under once it was loaded.
    pub(crate) fn get(&self, hash: &CredentialHash) -> Result<Arc<T>, u64> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cached.by_hash.get(hash).cloned().ok_or(cached.generation)
    }

    pub(crate) fn keep(&self, hash: CredentialHash, found: Arc<T>, generation: u64) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cached.generation != generation {
            return;
        }
        if cached.by_hash.len() >= CREDENTIAL_CACHE_MAX {
            cached.by_hash.clear();
        }
        cached.by_hash.insert(hash, found);
    }

    pub(crate) fn forget_all(&self) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.by_hash.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_loaded_before_a_revocation_is_not_kept_after_it() {
        let cache = HashCache::default();
        let hash = CredentialHash::of(b"x");
        let generation = cache.get(&hash).expect_err("nothing is known");
        cache.forget_all();
        cache.keep(hash, Arc::new(1), generation);
        let generation = cache.get(&hash).expect_err("it was loaded too early");
        cache.keep(hash, Arc::new(2), generation);
        assert_eq!(cache.get(&hash).as_deref(), Ok(&2));
    }
}
