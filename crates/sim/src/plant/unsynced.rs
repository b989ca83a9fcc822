//! A disk whose writes are in memory only until it gets around to them: what a store has that answers before it syncs.

use std::sync::atomic::{AtomicBool, Ordering};

use signalpost_store::testing::memory::MemoryStore;

pub(crate) struct Unsynced {
    /// What the process sees.
    cache: MemoryStore,
    /// What its successor finds.
    disk: MemoryStore,
    used: AtomicBool,
}

impl Unsynced {
    pub(crate) fn new(cache: MemoryStore, disk: MemoryStore) -> Self {
        Self { cache, disk, used: AtomicBool::new(false) }
    }

    /// Notes that the cache may differ from the disk.
    pub(crate) fn touch(&self) {
        self.used.store(true, Ordering::SeqCst);
    }

    pub(crate) fn sync(&self) {
        if self.used.swap(false, Ordering::SeqCst) {
            self.disk.become_like(&self.cache);
        }
    }
}
