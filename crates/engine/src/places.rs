//! Which delivery core has which lane: the one that the webhook falls to, unless that has given it away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use signalpost_core::id::WebhookId;
use signalpost_core::limits::LANES_MOVED_MAX;

use crate::id_map::{IdMap, core_of};

#[derive(Debug)]
pub(crate) struct Places {
    cores: usize,
    moved: RwLock<IdMap<WebhookId, usize>>,
    /// How many there are in `moved`: as a rule none, which costs no lock.
    count: AtomicUsize,
}

impl Places {
    pub(crate) fn new(cores: usize) -> Self {
        Self { cores, moved: RwLock::default(), count: AtomicUsize::new(0) }
    }

    /// The core that has the lane of a webhook, in memory or not.
    pub(crate) fn of(&self, webhook: WebhookId) -> usize {
        let home = core_of(webhook, self.cores);
        if self.count.load(Ordering::SeqCst) == 0 {
            return home;
        }
        // A panic while the lock was held leaves a map, which is valid at every moment.
        let moved = self.moved.read().unwrap_or_else(PoisonError::into_inner);
        moved.get(&webhook).copied().unwrap_or(home)
    }

    /// Gives a lane to a core, for whoever has it. What `tell` tells that core comes before anything that others tell it of the
    /// lane, for nobody learns of the change before. `false` when as many have moved as may, and then nothing is told.
    pub(crate) fn put(&self, webhook: WebhookId, core: usize, tell: impl FnOnce()) -> bool {
        let mut moved = self.moved.write().unwrap_or_else(PoisonError::into_inner);
        if core == core_of(webhook, self.cores) {
            // While the count says that there is one nobody passes by the lock.
            tell();
            moved.remove(&webhook);
            self.count.store(moved.len(), Ordering::SeqCst);
        } else if moved.len() < LANES_MOVED_MAX || moved.contains_key(&webhook) {
            moved.insert(webhook, core);
            self.count.store(moved.len(), Ordering::SeqCst);
            tell();
        } else {
            return false;
        }
        true
    }

    /// Whether another lane may move.
    pub(crate) fn has_room(&self) -> bool {
        self.count.load(Ordering::SeqCst) < LANES_MOVED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_where_it_was_put_until_it_comes_home() {
        let (places, webhook) = (Places::new(3), WebhookId::from_raw(7));
        let home = core_of(webhook, 3);
        let away = (home + 1) % 3;
        assert_eq!(places.of(webhook), home);
        let mut told = 0;
        assert!(places.put(webhook, away, || told += 1));
        assert_eq!((places.of(webhook), told), (away, 1));
        assert!(places.put(webhook, home, || told += 1));
        assert_eq!((places.of(webhook), told, places.count.load(Ordering::SeqCst)), (home, 2, 0));
    }

    #[test]
    fn no_more_are_moved_than_may_be() {
        let places = Places::new(2);
        let away = |webhook| 1 - core_of(webhook, 2);
        let webhooks = (1i64..).map(WebhookId::from_raw);
        for webhook in webhooks.clone().take(LANES_MOVED_MAX) {
            assert!(places.put(webhook, away(webhook), || ()));
        }
        let (first, last) = (WebhookId::from_raw(1), WebhookId::from_raw(i64::MAX));
        assert!(!places.put(last, away(last), || panic!("it is told of nothing")));
        assert_eq!(places.of(last), core_of(last, 2));
        assert!(places.put(first, core_of(first, 2), || ()) && places.put(last, away(last), || ()));
    }
}
