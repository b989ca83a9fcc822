//! Telling a listener what a commit has brought.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use signalpost_core::delivery::Due;
use signalpost_core::id::WorkspaceId;

use crate::ledger::{CommitListener, Stored};

/// What a commit has to tell, each in its order.
#[derive(Default)]
pub struct CommitNews {
    pub accepted: Vec<Stored>,
    pub requeued: Vec<(Due, WorkspaceId)>,
    /// What has come to be the first of its key.
    pub released: Vec<Due>,
}

impl CommitNews {
    /// Tells whoever listens, if anybody does and there is anything to tell. To be called when the commit is on disk, before
    /// whoever asked for it is answered. A listener that panics harms nobody else.
    pub fn tell(self, listener: &Mutex<Option<Arc<dyn CommitListener>>>) {
        let Self { accepted, requeued, released } = self;
        if accepted.is_empty() && requeued.is_empty() && released.is_empty() {
            return;
        }
        let listener = listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(listener) = listener else { return };
        let told = catch_unwind(AssertUnwindSafe(|| {
            if !accepted.is_empty() {
                listener.accepted(accepted);
            }
            for requeued in requeued.chunk_by(|one, next| one.1 == next.1) {
                listener.requeued(requeued.iter().map(|(due, _)| *due).collect(), requeued[0].1);
            }
            released.into_iter().for_each(|due| listener.released(due));
        }));
        if told.is_err() {
            tracing::error!("the listener of commits panicked; what it missed is found by reconciling");
        }
    }
}
