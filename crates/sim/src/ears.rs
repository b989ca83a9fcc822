//! What stands between a store that has committed and an engine that is told of it: it loses some of what it hears, and
//! watches that sequences grow in the order of commits.
//!
//! A wake-up is a hint. An engine that never hears one must still find what it owes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::ports::BoxFuture;
use signalpost_store::ledger::{DueLane, Stored};
use signalpost_store::{Change, CommitListener};

use crate::nodes::{Seat, Told};
use crate::trouble::Trouble;

/// What was committed to one store, over all its openings.
#[derive(Default)]
pub(crate) struct Commits(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    highest: BTreeMap<WorkspaceId, Sequence>,
    findings: Vec<String>,
}

impl Commits {
    pub(crate) fn findings(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics while noting").findings.clone()
    }

    /// Every event of a workspace comes after all that were committed before it, also before a restart.
    fn note(&self, workspace: WorkspaceId, sequence: Sequence) {
        let mut seen = self.0.lock().expect("nobody panics while noting");
        let before = seen.highest.insert(workspace, sequence);
        if let Some(before) = before.filter(|before| *before >= sequence) {
            let (before, after) = (before.0, sequence.0);
            seen.findings.push(format!("sequence {after} was committed after {before}"));
        }
    }
}

pub(crate) struct Ears {
    engine: Arc<dyn CommitListener>,
    trouble: Arc<Trouble>,
    seat: Option<Arc<Seat>>,
}

impl Ears {
    pub(crate) fn of(
        engine: Arc<dyn CommitListener>,
        trouble: Arc<Trouble>,
        seat: Option<Arc<Seat>>,
    ) -> Arc<dyn CommitListener> {
        Arc::new(Self { engine, trouble, seat })
    }

    /// Has other nodes hear of it.
    fn ring(&self, told: Told) {
        if let Some(seat) = &self.seat {
            seat.ring(told);
        }
    }
}

const fn lane_of(due: &Due) -> DueLane {
    DueLane { webhook: due.id.webhook, first_due_at: due.due_at }
}

impl CommitListener for Ears {
    fn accepted(&self, events: Vec<Stored>) {
        let stored = events.iter().map(|stored| &stored.event);
        stored.clone().for_each(|event| self.trouble.commits.note(event.workspace, event.sequence));
        let at_once = events.iter().flat_map(|Stored { event, told_apart }| {
            let targets = event.targets.iter().filter(|webhook| !told_apart.contains(webhook));
            targets.map(|webhook| DeliveryId { event: event.id, webhook: *webhook })
        });
        self.ring(Told::Accepted(at_once.collect()));
        if !self.trouble.loses_wake_up() {
            self.engine.accepted(events);
        }
    }

    fn requeued(&self, due: Vec<Due>, workspace: WorkspaceId) {
        self.ring(Told::Owed(due.iter().map(lane_of).collect()));
        if !self.trouble.loses_wake_up() {
            self.engine.requeued(due, workspace);
        }
    }

    fn released(&self, due: Due) {
        self.ring(Told::Owed(vec![lane_of(&due)]));
        if !self.trouble.loses_wake_up() {
            self.engine.released(due);
        }
    }

    /// No hint: it is told again until it is heard.
    fn changed(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        self.engine.changed(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_that_does_not_grow_is_found() {
        let commits = Commits::default();
        let (one, other) = (WorkspaceId::from_raw(1), WorkspaceId::from_raw(2));
        for (workspace, sequence) in [(one, 1), (one, 2), (other, 1), (one, 9)] {
            commits.note(workspace, Sequence(sequence));
        }
        assert!(commits.findings().is_empty());
        commits.note(one, Sequence(9));
        commits.note(other, Sequence(2));
        assert_eq!(commits.findings(), ["sequence 9 was committed after 9"]);
    }
}
