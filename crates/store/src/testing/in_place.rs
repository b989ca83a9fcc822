//! Heavy work for tests: done at once, where it is handed in, and counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use signalpost_core::ports::{HeavyWork, TooMuchWork};

#[derive(Default)]
pub struct InPlace {
    done: AtomicU64,
    refuses: AtomicBool,
}

impl InPlace {
    /// Pieces of work that were done so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Takes nothing any more, as if too much waited.
    pub fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }
}

impl HeavyWork for InPlace {
    fn take(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), TooMuchWork> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(TooMuchWork);
        }
        work();
        self.done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
