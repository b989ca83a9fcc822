//! What the store tells of commits: it is counted, and delivery cores hear of it.

use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::ports::BoxFuture;
use signalpost_store::ledger::{DueLane, Stored};
use signalpost_store::{Change, CommitListener};

use crate::doorbell::Doorbell;
use crate::figures::Counted;
use crate::metrics::Metrics;
use crate::remembered::Remembered;

/// Counts here and not where publishers are answered: one that has gone away does not wait for its answer, and what it has
/// published is delivered all the same.
pub(crate) struct Committed {
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) counted: Arc<Counted>,
    pub(crate) remembered: Remembered,
}

impl CommitListener for Committed {
    fn accepted(&self, events: Vec<Stored>) {
        self.metrics.events_accepted.add(events.len());
        self.metrics
            .deliveries_created
            .add(events.iter().map(|stored| stored.event.targets.len()).sum::<usize>());
        self.counted.accepted(&events);
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

    fn accepted_elsewhere(&self, deliveries: &[DeliveryId]) {
        self.doorbell.accepted_elsewhere(deliveries);
    }

    fn changed(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        self.remembered.apply(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use crate::hand_clock::HandClock;
    use crate::mailbox::Mailbox;
    use crate::profiles::Profiles;
    use crate::trust::Trust;
    use signalpost_core::event::{Event, Sequence};
    use signalpost_core::id::{EventId, WebhookId};
    use signalpost_core::time::Timestamp;
    use signalpost_store::testing::memory::MemoryStore;
    use signalpost_store::testing::sample;

    #[test]
    fn what_is_committed_counts_though_nobody_waits_for_the_answer() {
        let trust = Trust::new(Arc::default(), Arc::new(HandClock::default()));
        let profiles = Arc::new(Profiles::new(Vec::new()));
        let directory = Directory::new(Arc::new(MemoryStore::new()), profiles, trust.clone());
        let doorbell = Arc::new(Doorbell::new(1));
        let remembered = Remembered::nothing(directory, &trust, &doorbell, &Mailbox::new(), &Mailbox::new());
        let metrics = Arc::default();
        let counted = Arc::new(Counted::new(&metrics));
        let committed = Committed { doorbell, metrics, counted, remembered };
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
        committed.accepted(vec![Stored { event: Arc::new(event), told_apart: vec![targets[0]] }]);
        let Metrics { events_accepted, deliveries_created, .. } = &*committed.metrics;
        assert_eq!((events_accepted.get(), deliveries_created.get()), (1, 2));
    }
}
