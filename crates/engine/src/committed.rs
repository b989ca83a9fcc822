//! What the store tells of commits: it is counted, and delivery cores hear of it.

use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::id::WorkspaceId;
use signalpost_store::CommitListener;
use signalpost_store::ledger::{DueLane, Stored};

use crate::doorbell::Doorbell;
use crate::metrics::Metrics;

/// Counts here and not where publishers are answered: one that has gone away does not wait for its answer, and what it has
/// published is delivered all the same.
pub(crate) struct Committed {
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) metrics: Arc<Metrics>,
}

impl CommitListener for Committed {
    fn accepted(&self, events: Vec<Stored>) {
        self.metrics.events_accepted.add(events.len());
        self.metrics
            .deliveries_created
            .add(events.iter().map(|stored| stored.event.targets.len()).sum::<usize>());
        self.doorbell.accepted(events);
    }

    fn requeued(&self, due: Vec<Due>, workspace: WorkspaceId) {
        self.doorbell.requeued(due, workspace);
    }

    fn released(&self, due: Due) {
        self.doorbell.released(due);
    }

    fn owed(&self, lanes: Vec<DueLane>) {
        self.doorbell.owed(&lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::event::{Event, Sequence};
    use signalpost_core::id::{EventId, WebhookId};
    use signalpost_core::time::Timestamp;
    use signalpost_store::testing::sample;

    #[test]
    fn what_is_committed_counts_though_nobody_waits_for_the_answer() {
        let committed = Committed { doorbell: Arc::new(Doorbell::new(1)), metrics: Arc::default() };
        let (workspace, targets) = (WorkspaceId::from_raw(1), [2, 3].map(WebhookId::from_raw));
        let event = Event {
            id: EventId::from_raw(7),
            workspace,
            sequence: Sequence(1),
            content: sample::event(workspace, 7, 1, &targets).content,
            targets: targets.to_vec(),
            accepted_at: Timestamp::default(),
            payload_removed_at: None,
        };
        committed.accepted(vec![Stored { event: Arc::new(event), ordered: vec![targets[0]] }]);
        let Metrics { events_accepted, deliveries_created, .. } = &*committed.metrics;
        assert_eq!((events_accepted.get(), deliveries_created.get()), (1, 2));
    }
}
