//! What was found by the hash of a secret, kept in memory until it is revoked.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::CREDENTIAL_CACHE_MAX;
use signalpost_store::{Answer, StoreError};

use crate::trust::Trust;

pub(crate) struct HashCache<T> {
    cached: RwLock<Cached<T>>,
    /// Without it nothing is found in memory.
    trust: Trust,
    /// How much of the room a thing takes.
    weigh: fn(&T) -> usize,
    room: usize,
}

struct Cached<T> {
    by_hash: HashMap<CredentialHash, Arc<T>>,
    /// Of all that is kept, together.
    weight: usize,
    /// Counts forgettings: what was loaded before one and arrives after it is not kept, and whoever was let in before
    /// one is to be looked at again.
    generation: u64,
}

impl<T> HashCache<T> {
    /// With room for so many things as are kept of small ones.
    pub(crate) fn new(trust: Trust) -> Self {
        Self::weighing(|_| 1, CREDENTIAL_CACHE_MAX, trust)
    }

    /// With room for things that `weigh` so much together.
    pub(crate) fn weighing(weigh: fn(&T) -> usize, room: usize, trust: Trust) -> Self {
        let cached = Cached { by_hash: HashMap::new(), weight: 0, generation: 0 };
        Self { cached: RwLock::new(cached), trust, weigh, room }
    }

    /// What has this hash, from memory if possible, and the generation as of which that is so.
    pub(crate) async fn find(
        &self,
        hash: CredentialHash,
        load: impl FnOnce() -> Answer<Option<T>>,
    ) -> Result<Option<(Arc<T>, u64)>, StoreError> {
        let generation = {
            let cached = self.read();
            if let Some(known) = cached.by_hash.get(&hash)
                && self.trust.holds()
            {
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
        self.read().by_hash.contains_key(hash) && self.trust.holds()
    }

    /// Whether nothing was forgotten since this generation, and nobody can have missed that something should have been.
    pub(crate) fn stands(&self, generation: u64) -> bool {
        self.read().generation == generation && self.trust.holds()
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
    use signalpost_core::ports::Clock;
    use signalpost_core::time::Monotonic;
    use signalpost_store::Ownership;

    use crate::hand_clock::HandClock;

    const FOR_EVER: u64 = u64::MAX;

    /// What nobody shares.
    fn trust() -> Trust {
        Trust::new(Arc::default(), Arc::new(HandClock::default()))
    }

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
        let cache = HashCache::new(trust());
        let load = || {
            cache.forget(|_| false);
            Box::pin(ready(Ok(Some(1u8)))) as Answer<Option<u8>>
        };
        let found = cache.find(hash(1), load).now_or_never().expect("nothing waits");
        let (found, generation) = found.expect("nothing fails").expect("it is there");
        assert_eq!((*found, generation), (1, 0), "it is told, as of before");
        assert!(!cache.stands(0) && cache.stands(1));
        assert!(!cache.knows(&hash(1)));
        assert_eq!(find(&cache, 1, None), None);
    }

    #[test]
    fn room_is_measured_by_weight() {
        let cache = HashCache::weighing(|known: &u8| usize::from(*known), 10, trust());
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
        let cache = HashCache::new(trust());
        assert_eq!(find(&cache, 1, Some(1)), Some((1, 0)));
        assert_eq!(find(&cache, 2, Some(2)), Some((2, 0)));
        cache.forget(|known| *known == 1);
        assert_eq!(find(&cache, 1, None), None);
        assert_eq!(find(&cache, 2, None), Some((2, 1)), "without the store");
    }

    /// It was stopped for longer than it had said that it would rely on what it knows.
    #[test]
    fn memory_is_not_believed_by_whoever_may_have_missed_a_revocation() {
        let (ownership, clock) = (Arc::new(Ownership::of_all()), Arc::new(HandClock::default()));
        let cache = HashCache::new(Trust::new(Arc::clone(&ownership), Arc::clone(&clock) as _));
        assert_eq!(find(&cache, 1, Some(1)), Some((1, 0)));
        ownership.trust_until(clock.monotonic());
        assert!(!cache.knows(&hash(1)) && !cache.stands(0));
        assert_eq!(find(&cache, 1, Some(2)), Some((2, 0)), "as the store has it");
        assert_eq!(find(&cache, 1, None), None);
        ownership.trust_until(Monotonic::from_us(FOR_EVER));
        assert!(cache.knows(&hash(1)) && cache.stands(0));
        assert_eq!(find(&cache, 1, None), Some((2, 0)), "the last that was loaded");
    }
}
