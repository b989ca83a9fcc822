//! What a node has lived through, in numbers: for whoever watches over several of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Since the store was opened. On a store that no two processes share nothing of it ever happens.
#[derive(Debug, Default)]
pub struct LeaseCounts {
    pub renewals: Count,
    /// Leases that had run out before they were renewed, so that all groups were lost.
    pub losses: Count,
    /// Outcomes that came when their groups were somebody else's by then. Who has them sends those deliveries again.
    pub outcomes_fenced: Count,
    pub groups_taken: Count,
    /// Groups that were given up for another node.
    pub groups_given: Count,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: usize) {
        self.0.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
