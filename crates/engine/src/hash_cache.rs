//! What was found by the hash of a secret, kept in memory until it is revoked.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::CREDENTIAL_CACHE_MAX;
use signalpost_store::{Answer, StoreError};

#[derive(Debug)]
pub(crate) struct HashCache<T> {
    cached: RwLock<Cached<T>>,
    /// How much of the room a thing takes.
    weigh: fn(&T) -> usize,
    room: usize,
}

#[derive(Debug)]
struct Cached<T> {
    by_hash: HashMap<CredentialHash, Arc<T>>,
    /// Of all that is kept, together.
    weight: usize,
    /// Counts forgettings: what was loaded before one and arrives after it is not kept, and whoever was let in before
    /// one is to be looked at again.
    generation: u64,
}

/// With room for so many things as are kept of small ones.
impl<T> Default for HashCache<T> {
    fn default() -> Self {
        Self::weighing(|_| 1, CREDENTIAL_CACHE_MAX)
    }
}

impl<T> HashCache<T> {
    /// With room for things that `weigh` so much together.
    pub(crate) fn weighing(weigh: fn(&T) -> usize, room: usize) -> Self {
        let cached = Cached { by_hash: HashMap::new(), weight: 0, generation: 0 };
        Self { cached: RwLock::new(cached), weigh, room }
    }

    /// What has this hash, from memory if possible, and the generation as of which that is so.
    pub(crate) async fn find(
        &self,
        hash: CredentialHash,
        load: impl FnOnce() -> Answer<Option<T>>,
    ) -> Result<Option<(Arc<T>, u64)>, StoreError> {
        let generation = {
            let cached = self.read();
            if let Some(known) = cached.by_hash.get(&hash) {
                return Ok(Some((Arc::clone(known), cached.generation)));
            }
            cached.generation
        };
        let Some(found) = load().await?.map(Arc::new) else { return Ok(None) };
        self.keep(hash, Arc::clone(&found), generation);
        Ok(Some((found, generation)))
    }

    /// Whether [`Self::find`] needs no store for this.
    pub(crate) fn knows(&self, hash: &CredentialHash) -> bool {
        self.read().by_hash.contains_key(hash)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.read().generation
    }

    /// Forgets what has changed. The rest stays: a revocation must not send everybody else to the store, which is where
    /// those are not heard who share an address with a guesser.
    pub(crate) fn forget(&self, changed: impl Fn(&T) -> bool) {
        let mut cached = self.write();
        cached.generation += 1;
        cached.by_hash.retain(|_, known| !changed(known));
        cached.weight = cached.by_hash.values().map(|known| (self.weigh)(known)).sum();
    }

    fn keep(&self, hash: CredentialHash, found: Arc<T>, generation: u64) {
        let mut cached = self.write();
        if cached.generation != generation {
            return;
        }
        let weight = (self.weigh)(&found);
        if cached.weight.saturating_add(weight) > self.room {
            cached.by_hash.clear();
            cached.weight = 0;
        }
        cached.weight += weight;
        if let Some(same) = cached.by_hash.insert(hash, found) {
            cached.weight -= (self.weigh)(&same);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Cached<T>> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cached<T>> {
        self.cached.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::future::ready;

    use futures_util::FutureExt;

    fn hash(n: u8) -> CredentialHash {
        CredentialHash::of(&[n])
    }

    /// What is found when the store would say `loaded`.
    fn find(cache: &HashCache<u8>, n: u8, loaded: Option<u8>) -> Option<(u8, u64)> {
        let found = cache.find(hash(n), || Box::pin(ready(Ok(loaded)))).now_or_never();
        let found = found.expect("nothing waits").expect("nothing fails");
        found.map(|(found, generation)| (*found, generation))
    }

    #[test]
    fn what_was_loaded_before_a_revocation_is_not_kept_after_it() {
        let cache = HashCache::default();
        let load = || {
            cache.forget(|_| false);
            Box::pin(ready(Ok(Some(1u8)))) as Answer<Option<u8>>
        };
        let found = cache.find(hash(1), load).now_or_never().expect("nothing waits");
        let (found, generation) = found.expect("nothing fails").expect("it is there");
        assert_eq!((*found, generation), (1, 0), "it is told, as of before");
        assert_eq!(cache.generation(), 1);
        assert!(!cache.knows(&hash(1)));
        assert_eq!(find(&cache, 1, None), None);
    }

    #[test]
    fn room_is_measured_by_weight() {
        let cache = HashCache::weighing(|known: &u8| usize::from(*known), 10);
        for (n, weight) in [(1, 4), (2, 6)] {
            find(&cache, n, Some(weight));
        }
        assert!(cache.knows(&hash(1)) && cache.knows(&hash(2)));
        cache.forget(|known| *known == 6);
        find(&cache, 3, Some(6));
        assert!(cache.knows(&hash(1)) && cache.knows(&hash(3)), "what was forgotten has left its room");
        find(&cache, 4, Some(1));
        assert!(!cache.knows(&hash(1)) && cache.knows(&hash(4)));
    }

    #[test]
    fn only_what_has_changed_is_forgotten() {
        let cache = HashCache::default();
        assert_eq!(find(&cache, 1, Some(1)), Some((1, 0)));
        assert_eq!(find(&cache, 2, Some(2)), Some((2, 0)));
        cache.forget(|known| *known == 1);
        assert_eq!(find(&cache, 1, None), None);
        assert_eq!(find(&cache, 2, None), Some((2, 1)), "without the store");
    }
}
