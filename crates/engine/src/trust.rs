//! Whether what this process remembers may be relied on.
//!
//! What others change is told to every node that can be reached, and the rest are waited for only as long as they have said
//! that they will rely on what they know. So a process that was stopped for longer, and goes on, asks the store. It trusts its
//! memory again when it has been told of everything that it may have missed.

use std::sync::Arc;

use signalpost_core::ports::Clock;
use signalpost_store::Ownership;

#[derive(Clone)]
pub(crate) struct Trust {
    ownership: Arc<Ownership>,
    clock: Arc<dyn Clock>,
}

impl Trust {
    pub(crate) const fn new(ownership: Arc<Ownership>, clock: Arc<dyn Clock>) -> Self {
        Self { ownership, clock }
    }

    /// Right now. To be asked after what is remembered was looked up.
    pub(crate) fn holds(&self) -> bool {
        self.ownership.is_trusted(self.clock.monotonic())
    }
}
