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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notes::{Notes, Told};
    use signalpost_core::event::Sequence;
    use signalpost_core::id::{DeliveryId, EventId, WebhookId};
    use signalpost_core::time::Timestamp;

    struct Panicking;

    impl CommitListener for Panicking {
        fn accepted(&self, _: Vec<Stored>) {}

        fn requeued(&self, _: Vec<Due>, _: WorkspaceId) {}

        fn released(&self, due: Due) {
            panic!("{due:?}");
        }
    }

    fn due(event: i64) -> Due {
        let id = DeliveryId { event: EventId::from_raw(event), webhook: WebhookId::from_raw(1) };
        Due { id, due_at: Timestamp::from_ms(0), born: Sequence(event), steps: 0, tries: 0, order: None }
    }

    #[test]
    fn each_commit_is_told_in_its_order_and_a_panic_harms_nobody() {
        let (one, other) = (WorkspaceId::from_raw(7), WorkspaceId::from_raw(8));
        let news = || CommitNews {
            accepted: Vec::new(),
            requeued: vec![(due(2), one), (due(3), one), (due(4), other)],
            released: vec![due(5)],
        };
        news().tell(&Mutex::new(None));
        news().tell(&Mutex::new(Some(Arc::new(Panicking))));
        let notes = Arc::new(Notes::default());
        let listener: Mutex<Option<Arc<dyn CommitListener>>> = Mutex::new(Some(notes.clone()));
        news().tell(&listener);
        let requeued = [(due(2), one), (due(3), one), (due(4), other)];
        let told = requeued.map(|(due, workspace)| Told::Requeued(due, workspace));
        assert_eq!(notes.take(), told.into_iter().chain([Told::Released(due(5))]).collect::<Vec<_>>());
        CommitNews::default().tell(&listener);
        assert_eq!(notes.take(), [], "nothing was to be told");
    }
}
