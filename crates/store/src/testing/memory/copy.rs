//! The same data once more: for the next process, and for showing what a store is like that has not written everything yet.

use std::sync::{Arc, Mutex};

use super::MemoryStore;

impl MemoryStore {
    /// The same data as a new process would find it: open, and nobody listens.
    pub fn reopen(&self) -> Self {
        Self { data: Arc::clone(&self.data), opening: Arc::default() }
    }

    /// A store of its own with the same data, open, and nobody listens.
    pub fn copy(&self) -> Self {
        Self { data: Arc::new(Mutex::new(self.data().clone())), opening: Arc::default() }
    }

    /// Takes over the data of another store.
    pub fn become_like(&self, other: &Self) {
        let data = other.data().clone();
        *self.data() = data;
    }
}
