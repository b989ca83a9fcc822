//! Where a case finds its store.

use std::sync::Arc;

use crate::Store;
use crate::testing::memory::MemoryStore;

/// One place where a store keeps its data, and how to open it.
pub trait Harness {
    /// Opens the store: empty at first, later with what earlier openings have stored. A case drops what it has
    /// opened, closed or not, before it opens again.
    fn open(&self) -> Arc<dyn Store>;
}

impl Harness for MemoryStore {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.reopen())
    }
}
