//! The model's retention: one call does all there is to do, so there is never more.

use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::idempotency::is_kept;
use signalpost_core::retention::{Fate, RetentionRules};
use signalpost_core::time::Timestamp;

use super::data::{Data, Life};
use crate::ledger::{Retain, Retained, Storage, Usage};

/// What a row is thought to take beside its texts.
const ROW_BYTES: usize = 200;

impl Data {
    pub(super) fn retain(&mut self, params: &Retain) -> Retained {
        let Retain { now, rules } = params;
        self.remove_rests();
        self.once.retain(|_, row| is_kept(row.at, *now));
        let mut done = Retained::default();
        self.keep_store_within(rules.bytes_max, &mut done);
        for workspace in self.living_workspaces() {
            let own = rules.of(&self.workspaces[&workspace].workspace);
            self.keep_within(workspace, own.bytes_max, &mut done);
            self.remove_old(workspace, rules, *now, &mut done);
            self.remove_payloads(workspace, rules, *now, &mut done);
        }
        done
    }

    pub(super) fn usage(&self, workspace: WorkspaceId) -> Option<Usage> {
        self.living_workspace(workspace).map(|_| self.usage_of(Some(workspace)))
    }

    pub(super) fn storage(&self) -> Storage {
        let Usage { events, bytes } = self.usage_of(None);
        let (answers_bytes, answers_forgotten) = (self.calls_bytes(), self.calls_forgotten);
        Storage {
            database_bytes: bytes + answers_bytes,
            events,
            oldest_event_at: self.events.values().next().map(|row| row.event.accepted_at),
            answers_bytes,
            answers_forgotten,
            ..Storage::default()
        }
    }

    fn living_workspaces(&self) -> Vec<WorkspaceId> {
        let living = self.workspaces.iter().filter(|(_, row)| row.life == Life::Living);
        living.map(|(id, _)| *id).collect()
    }

    /// Oldest first.
    fn event_ids(&self, workspace: Option<WorkspaceId>) -> Vec<EventId> {
        let all = self.events.values().map(|row| &row.event);
        all.filter(|event| workspace.is_none_or(|wanted| event.workspace == wanted))
            .map(|event| event.id)
            .collect()
    }

    /// Of workspaces that are erased.
    fn remove_rests(&mut self) {
        let mut living = self.living_workspaces();
        living.extend(self.closing_workspaces());
        let rests = self.events.values().filter(|row| !living.contains(&row.event.workspace));
        for event in rests.map(|row| row.event.id).collect::<Vec<_>>() {
            self.remove_event(event);
        }
        self.webhooks.retain(|_, row| living.contains(&row.webhook.workspace));
    }

    /// What is older goes first, the next event or the first call.
    fn keep_store_within(&mut self, bytes_max: Option<u64>, done: &mut Retained) {
        let Some(bytes_max) = bytes_max else { return };
        let mut events = self.event_ids(None).into_iter().peekable();
        while self.storage().database_bytes > bytes_max {
            let accepted_at = events.peek().map(|event| self.events[event].event.accepted_at);
            let call = self.oldest_call(|_| true);
            if let Some(call) = call.filter(|call| accepted_at.is_none_or(|at| self.once[call].at < at)) {
                self.forget_call(call);
            } else if let Some(event) = events.next() {
                self.remove_unless_pending(event, done);
            } else {
                return;
            }
        }
    }

    fn keep_within(&mut self, workspace: WorkspaceId, bytes_max: Option<u64>, done: &mut Retained) {
        let Some(bytes_max) = bytes_max else { return };
        for event in self.event_ids(Some(workspace)) {
            if self.usage_of(Some(workspace)).bytes <= bytes_max {
                return;
            }
            self.remove_unless_pending(event, done);
        }
    }

    fn remove_unless_pending(&mut self, event: EventId, done: &mut Retained) {
        if self.is_pending(event) {
            done.looked += 1;
        } else {
            self.remove_event(event);
            done.events += 1;
        }
    }

    fn remove_old(&mut self, id: WorkspaceId, rules: &RetentionRules, now: Timestamp, done: &mut Retained) {
        for event in self.old_enough(id, rules, now, Fate::Removed) {
            self.remove_unless_pending(event, done);
        }
    }

    fn remove_payloads(
        &mut self,
        id: WorkspaceId,
        rules: &RetentionRules,
        now: Timestamp,
        done: &mut Retained,
    ) {
        for event in self.old_enough(id, rules, now, Fate::LosesPayload) {
            let row = &self.events[&event];
            if row.event.payload_removed_at.is_some() {
                continue;
            }
            if self.is_pending(event) {
                done.looked += 1;
                continue;
            }
            let row = self.events.get_mut(&event).expect("just seen");
            let event = Arc::make_mut(&mut row.event);
            event.content.data = Bytes::new();
            event.payload_removed_at = Some(now);
            let sequence = event.sequence;
            self.expire(id, sequence);
            done.payloads += 1;
        }
    }

    /// Up to the first that is young; those from a time that is still to come do not count.
    fn old_enough(
        &self,
        workspace: WorkspaceId,
        rules: &RetentionRules,
        now: Timestamp,
        fate: Fate,
    ) -> Vec<EventId> {
        let own = rules.of(&self.workspaces[&workspace].workspace);
        let in_time = self.events_of(workspace).filter(|row| row.event.accepted_at <= now);
        let old = in_time.take_while(|row| {
            let found = own.fate(row.event.accepted_at, now);
            found == fate || found == Fate::Removed
        });
        old.map(|row| row.event.id).collect()
    }

    fn is_pending(&self, event: EventId) -> bool {
        let targets = &self.events[&event].event.targets;
        let owed =
            targets.iter().filter_map(|webhook| self.due.get(&DeliveryId { event, webhook: *webhook }));
        let has_ended =
            |due: &Due| self.webhooks.get(&due.id.webhook).is_some_and(|row| row.has_ended(due.born));
        owed.into_iter().any(|due| !has_ended(due))
    }

    fn remove_event(&mut self, event: EventId) {
        let row = self.events.remove(&event).expect("the caller has found it");
        self.expire(row.event.workspace, row.event.sequence);
        for webhook in &row.event.targets {
            let id = DeliveryId { event, webhook: *webhook };
            self.steps.remove(&id);
            self.due.remove(&id);
            self.blocked.remove(&id);
        }
    }

    fn expire(&mut self, workspace: WorkspaceId, sequence: Sequence) {
        let row = self.workspaces.get_mut(&workspace).expect("its events exist");
        row.expired_through = row.expired_through.max(sequence);
    }

    fn usage_of(&self, workspace: Option<WorkspaceId>) -> Usage {
        let living = self.living_workspaces();
        let counted = |owner: WorkspaceId| match workspace {
            Some(wanted) => owner == wanted,
            None => living.contains(&owner),
        };
        let mut usage = Usage::default();
        for row in self.events.values().filter(|row| counted(row.event.workspace)) {
            let deliveries =
                row.event.targets.iter().map(|webhook| DeliveryId { event: row.event.id, webhook: *webhook });
            let steps = deliveries.filter_map(|id| self.steps.get(&id)).map(|steps| steps.len());
            let rows = 1 + row.event.targets.len() + steps.sum::<usize>();
            let bytes = row.event.content.data.len() + rows * ROW_BYTES;
            usage.events += 1;
            usage.bytes += u64::try_from(bytes).expect("a size fits");
        }
        usage
    }
}
