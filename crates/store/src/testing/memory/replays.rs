//! The model's replays: a plan is a set of events, and a step goes through the next of them.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::id::{DeliveryId, EventId, ReplayId, WorkspaceId};
use signalpost_core::limits::{DELIVERY_STEPS_MAX, REPLAY_DELIVERIES_MAX, REPLAY_EVENT_TARGETS_MAX};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_core::time::Timestamp;

use super::MemoryStore;
use super::data::{Data, ReplayRow};
use super::ledger::last_number;
use crate::replays::{
    BusyReplays, ChangeReplay, ListReplays, PlanReplay, ReplayCounts, Replays, StepReplay, Stepped, Waits,
};
use crate::{Answer, StoreError};

const MISSING: StoreError = StoreError::Missing("replay");

impl Replays for MemoryStore {
    fn create_replay(&self, replay: Replay) -> Answer<()> {
        self.run(|data| data.create_replay(replay))
    }

    fn replay(&self, workspace: WorkspaceId, replay: ReplayId) -> Answer<Option<Replay>> {
        self.run(|data| Ok(data.replay_of(workspace, replay).map(|row| row.replay.clone())))
    }

    fn list_replays(&self, params: ListReplays) -> Answer<Vec<Replay>> {
        let ListReplays { workspace, before, limit } = params;
        self.run(|data| {
            let newest_first = data.replays_of(workspace).rev();
            let older = newest_first.filter(|replay| before.is_none_or(|before| replay.id < before));
            Ok(older.take(limit).cloned().collect())
        })
    }

    fn busy_replays(&self, params: BusyReplays) -> Answer<Vec<Replay>> {
        let BusyReplays { after, limit } = params;
        self.run(|data| {
            let busy = data.replays.values().map(|row| &row.replay).filter(|replay| replay.phase.is_busy());
            let later = busy.filter(|replay| after.is_none_or(|after| replay.id > after));
            Ok(later.take(limit).cloned().collect())
        })
    }

    fn replay_sample(&self, workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Answer<Vec<EventId>> {
        self.run(|data| {
            let plan = data.replay_of(workspace, replay).map(|row| &row.plan);
            Ok(plan.into_iter().flatten().take(limit).copied().collect())
        })
    }

    fn plan_replay(&self, params: PlanReplay) -> Answer<Replay> {
        self.run(|data| data.plan_replay(params))
    }

    fn step_replay(&self, params: StepReplay) -> Answer<Stepped> {
        let listener = self.listener();
        let mut owed = Vec::new();
        let mut workspace = None;
        let answer = self.run(|data| {
            let stepped = data.step_replay(params, &mut owed)?;
            workspace = Some(stepped.replay.workspace);
            Ok(stepped)
        });
        if let (Some(listener), Some(workspace), false) = (listener.as_ref(), workspace, owed.is_empty()) {
            listener.requeued(owed, workspace);
        }
        answer
    }

    fn change_replay(&self, params: ChangeReplay) -> Answer<Replay> {
        self.run(|data| data.change_replay(params))
    }
}

impl Data {
    pub(super) fn create_replay(&mut self, replay: Replay) -> Result<(), StoreError> {
        let workspace = replay.workspace;
        self.living_workspace(workspace).ok_or(StoreError::Missing("workspace"))?;
        if !self.has_both_ends(&replay) {
            return Err(StoreError::Missing("webhook"));
        }
        self.replay_counts(workspace).check_new()?;
        self.note_id(replay.id.raw());
        self.replays.insert(replay.id, ReplayRow { replay, plan: BTreeSet::new() });
        Ok(())
    }

    /// A job of a workspace that is not erased.
    fn replay_of(&self, workspace: WorkspaceId, id: ReplayId) -> Option<&ReplayRow> {
        self.replays.get(&id).filter(|row| row.replay.workspace == workspace)
    }

    fn replays_of(&self, workspace: WorkspaceId) -> impl DoubleEndedIterator<Item = &Replay> {
        self.replays.values().map(|row| &row.replay).filter(move |replay| replay.workspace == workspace)
    }

    fn replay_counts(&self, workspace: WorkspaceId) -> ReplayCounts {
        ReplayCounts::of(self.replays_of(workspace).map(|replay| replay.phase))
    }

    fn has_both_ends(&self, replay: &Replay) -> bool {
        let mut ends = [replay.selection.source, replay.target].into_iter();
        ends.all(|webhook| self.living_webhook(replay.workspace, webhook).is_some())
    }

    fn plan_replay(&mut self, params: PlanReplay) -> Result<Replay, StoreError> {
        let replay = &self.replays.get(&params.replay).ok_or(MISSING)?.replay;
        params.check(replay)?;
        let PlanReplay { replay: id, found, next, at, .. } = params;
        if !self.has_both_ends(replay) {
            return Ok(self.end(id, Phase::Cancelled(CancelReason::WebhookDeleted), at));
        }
        let row = self.replays.get_mut(&id).expect("just found");
        row.plan.extend(found);
        row.replay.progress.planned = u64::try_from(row.plan.len()).expect("a count fits");
        if row.replay.progress.planned > REPLAY_DELIVERIES_MAX {
            return Ok(self.end(id, Phase::Cancelled(CancelReason::TooMany), at));
        }
        row.replay.progress.planned_to = next;
        if next.is_none() {
            row.change(row.replay.after_planning(), Principal::Engine, at);
        }
        Ok(row.replay.clone())
    }

    fn step_replay(&mut self, params: StepReplay, owed: &mut Vec<Due>) -> Result<Stepped, StoreError> {
        let row = self.replays.get(&params.replay).ok_or(MISSING)?;
        params.check(&row.replay)?;
        let StepReplay { replay: id, take, due_max, at, .. } = params;
        let (replay, mut rest) = (row.replay.clone(), rest_of(row));
        if !self.has_both_ends(&replay) {
            return Ok(self.end(id, Phase::Cancelled(CancelReason::WebhookDeleted), at).into());
        }
        if rest.is_empty() {
            return Ok(self.end(id, Phase::Done, at).into());
        }
        let webhook = &self.webhooks[&replay.target].webhook;
        if !webhook.state.is_active() || webhook.health.hold.is_some() {
            return Ok(Stepped { replay, waits: Some(Waits::TargetOff) });
        }
        let is_due = |due: &&Due| due.id.webhook == replay.target && due.due_at <= at;
        let is_asked = |due: &&Due| due.steps > 0 && due.tries == 0;
        let room = due_max.saturating_sub(self.owed().filter(is_due).filter(is_asked).count());
        let left = rest.split_off(take.min(room).min(rest.len()));
        for event in rest {
            let due = self.replay_one(&replay, event, at);
            let progress = &mut self.replays.get_mut(&id).expect("just found").replay.progress;
            progress.done_to = Some(event);
            match due {
                Some(due) => {
                    progress.sent += 1;
                    owed.extend(due);
                }
                None => progress.passed_over += 1,
            }
        }
        if left.is_empty() {
            return Ok(self.end(id, Phase::Done, at).into());
        }
        let waits = (room < take).then_some(Waits::Busy);
        Ok(Stepped { replay: self.replays[&id].replay.clone(), waits })
    }

    /// `None` when it is passed over; nothing inside when others of its key come first.
    fn replay_one(&mut self, replay: &Replay, event: EventId, at: Timestamp) -> Option<Option<Due>> {
        let id = DeliveryId { event, webhook: replay.target };
        let row = self.events.get_mut(&event).filter(|row| row.event.workspace == replay.workspace)?;
        if row.event.payload_removed_at.is_some() {
            return None;
        }
        let targets = &row.event.targets;
        if !targets.contains(&id.webhook) {
            if targets.len() >= REPLAY_EVENT_TARGETS_MAX {
                return None;
            }
            Arc::make_mut(&mut row.event).targets.push(id.webhook);
            let record = self.delivery(replay.workspace, id).expect("it is a target now");
            return Some(self.begin_round(replay.workspace, &record, at).begun());
        }
        let record = self.delivery(replay.workspace, id).expect("it is a target");
        let permitted = replay.selection.which.sends(record.summary.state);
        if !permitted || last_number(&record) >= DELIVERY_STEPS_MAX {
            return None;
        }
        Some(self.begin_round(replay.workspace, &record, at).begun())
    }

    fn change_replay(&mut self, params: ChangeReplay) -> Result<Replay, StoreError> {
        let ChangeReplay { workspace, replay: id, change, by, at } = params;
        let before = self.replay_of(workspace, id).ok_or(MISSING)?.replay.phase;
        let after = change.of(before)?;
        if after.is_busy() && !before.is_busy() {
            self.replay_counts(workspace).check_busy()?;
        }
        let row = self.replays.get_mut(&id).expect("just found");
        if after != before {
            row.change(after, by, at);
        }
        Ok(row.replay.clone())
    }

    fn end(&mut self, id: ReplayId, phase: Phase, at: Timestamp) -> Replay {
        let row = self.replays.get_mut(&id).expect("the caller has found it");
        row.change(phase, Principal::Engine, at);
        row.replay.clone()
    }

    pub(super) fn forget_replays(&mut self, now: Timestamp) {
        self.replays.retain(|_, row| !row.replay.is_forgotten(now));
        for row in self.replays.values_mut().filter(|row| row.replay.is_idle(now)) {
            row.change(Phase::Cancelled(CancelReason::Forgotten), Principal::Engine, now);
        }
    }
}

impl ReplayRow {
    fn change(&mut self, phase: Phase, by: Principal, at: Timestamp) {
        self.replay.change(phase, by, at);
        if !phase.is_open() {
            self.plan.clear();
        }
    }
}

/// What has not been gone through, oldest first.
fn rest_of(row: &ReplayRow) -> Vec<EventId> {
    let done = row.replay.progress.done_to.map_or(Bound::Unbounded, Bound::Excluded);
    row.plan.range((done, Bound::Unbounded)).copied().collect()
}
