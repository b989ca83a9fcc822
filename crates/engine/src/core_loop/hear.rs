//! What a core does when it is told something.

use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::FutureExt;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::health::Standing;
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::limits::{
    CORE_MEMORY_BYTES_MAX, CORE_MEMORY_DELIVERIES_MAX, PROBE_DELAY_MAX, SHUTDOWN_GRACE,
};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{DueLane, DueOrder, DuePage};

use super::{Done, LANE_IDLE_MS, Running};
use crate::doorbell::{Message, Resumed};
use crate::figures::{Row, Share};
use crate::id_map::core_of;
use crate::lane::{Config, Lane, Payload};

impl Running {
    /// Hears what was told before something else that has happened by now. What a page has named may be over and forgotten when
    /// the news of its commit are heard: told before the outcome came to the disk, they have to be heard before it is forgotten.
    pub(super) fn hear_what_came(&mut self) {
        let came = self.door.mailbox.take().now_or_never();
        came.into_iter().flatten().for_each(|message| self.hear(message));
    }

    pub(super) fn hear(&mut self, message: Message) {
        let message = self.engine.doorbell.keep_or_pass_on(self.door.number, message);
        let Some(message) = message else { return };
        if message.lane().is_some_and(|webhook| !self.is_ours(webhook) && !self.lanes.contains_key(&webhook))
        {
            // Whoever waits for an answer has it with this: nothing of the webhook starts here.
            return;
        }
        match message {
            Message::Accepted { event, webhook } => self.hear_of_event(event, webhook),
            Message::AcceptedElsewhere { webhook, events } => self.hear_of_elsewhere(webhook, events),
            Message::Requeued(due) | Message::Released(due) => self.offer(due, None),
            Message::Owed(lane) => self.hear_of_owed(lane),
            Message::Reload { webhook, applied } => self.reload(webhook, applied),
            Message::Resume { webhook, resumed, applied } => self.resume(webhook, resumed, applied),
            Message::ReloadWorkspace { workspace, applied } => self.reload_workspace(workspace, applied),
            Message::ReloadAll { applied } => self.reload_all(applied),
            Message::Moved { webhook, luggage } => self.take_over(webhook, *luggage),
            Message::Owners => self.look_at_owners(),
            Message::Lighten(asked) => self.lighten(asked),
            Message::Counted { share, answer } => self.hand_on_counted(share, answer),
            Message::Stop => {
                let grace_ms = i64::try_from(SHUTDOWN_GRACE.as_millis()).expect("seconds");
                self.stopping = Some(self.engine.clock.now().plus_ms(grace_ms));
            }
        }
    }

    fn hand_on_counted(&mut self, share: Share, answer: oneshot::Sender<Vec<Row>>) {
        if let Err(rows) = answer.send(self.tally.take(share)) {
            self.engine.counted.hand_in(rows);
        }
    }

    fn hear_of_event(&mut self, event: Arc<Event>, webhook: WebhookId) {
        let due = Due {
            id: DeliveryId { event: event.id, webhook },
            due_at: event.accepted_at,
            born: event.sequence,
            steps: 0,
            tries: 0,
            order: None,
        };
        self.offer(due, Some(event));
    }

    fn offer(&mut self, due: Due, event: Option<Arc<Event>>) {
        let full = self.held >= CORE_MEMORY_DELIVERIES_MAX;
        let payload =
            if self.held_bytes >= CORE_MEMORY_BYTES_MAX { Payload::ReadAgain } else { Payload::Keep };
        let now = self.engine.clock.now();
        if self.rests(due.id.webhook) {
            return;
        }
        self.touch(due.id.webhook, |lane| {
            lane.used_at = now;
            if full && !lane.knows(due.id.event) {
                lane.decline(due.due_at);
            } else {
                lane.offer(due, event, payload);
            }
        });
    }

    /// A lane that is not in memory needs no more than an instant: it is woken when its first delivery is due.
    fn hear_of_owed(&mut self, owed: DueLane) {
        if self.rests(owed.webhook) {
            return;
        }
        if self.lanes.contains_key(&owed.webhook) {
            self.touch(owed.webhook, |lane| lane.hear_of(owed.first_due_at));
        } else {
            self.timers.wake_by(owed.webhook, owed.first_due_at);
        }
    }

    /// Whether a webhook is paused and its lane out of memory: it is woken for its next probe, whatever comes meanwhile. One that
    /// is to be woken later than any probe can be due was put to rest before the clock was set back.
    pub(super) fn rests(&self, webhook: WebhookId) -> bool {
        let last_ms = i64::try_from(PROBE_DELAY_MAX.as_millis()).expect("minutes");
        let last = self.engine.clock.now().plus_ms(last_ms);
        self.resting.contains(&webhook) && self.timers.of(webhook).is_some_and(|at| at <= last)
    }

    /// Nothing starts under the old configuration from here on: it is dropped, and whatever starts later waits for
    /// the new one.
    fn reload(&mut self, webhook: WebhookId, applied: oneshot::Sender<()>) {
        if self.lanes.contains_key(&webhook) {
            self.touch(webhook, |lane| {
                lane.drop_config();
                lane.gate.release();
            });
        } else if self.resting.contains(&webhook) {
            self.timers.wake_by(webhook, self.engine.clock.now());
        }
        // The asker may have gone away; the change holds all the same.
        applied.send(()).unwrap_or_default();
    }

    /// As [`Self::reload`], and looks at once for what the webhook was owed while it was off. A release takes a lane, for nothing
    /// else remembers in which order.
    fn resume(&mut self, webhook: WebhookId, resumed: Resumed, applied: oneshot::Sender<()>) {
        let now = self.engine.clock.now();
        if self.lanes.contains_key(&webhook) || resumed.release.is_some() {
            self.touch(webhook, |lane| {
                lane.drop_config();
                lane.gate.release();
                lane.resume(resumed, now);
            });
        } else {
            self.timers.wake_by(webhook, now);
        }
        applied.send(()).unwrap_or_default();
    }

    fn reload_workspace(&mut self, workspace: WorkspaceId, applied: oneshot::Sender<()>) {
        for lane in self.lanes.values_mut() {
            let concerned = match &lane.config {
                Config::Ready(config) => config.workspace == workspace,
                Config::Loading { .. } => true,
                Config::Absent | Config::Closing => false,
            };
            if concerned {
                lane.drop_config();
            }
        }
        let webhooks: Vec<WebhookId> = self.lanes.keys().copied().collect();
        for webhook in webhooks {
            self.touch(webhook, |_| ());
        }
        applied.send(()).unwrap_or_default();
    }

    fn reload_all(&mut self, applied: oneshot::Sender<()>) {
        let now = self.engine.clock.now();
        let webhooks: Vec<WebhookId> = self.lanes.keys().copied().collect();
        for webhook in webhooks {
            self.touch(webhook, |lane| {
                lane.drop_config();
                lane.gate.release();
            });
        }
        self.resting.iter().for_each(|webhook| self.timers.wake_by(*webhook, now));
        applied.send(()).unwrap_or_default();
    }

    /// Looks at every lane whose instant has come.
    pub(super) fn wake_lanes(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let now = self.engine.clock.now();
        while let Some(webhook) = self.timers.pop(now) {
            let is_here = self.lanes.contains_key(&webhook) || self.is_ours(webhook);
            if !is_here || !self.engine.doorbell.is_with(self.door.number, webhook) {
                continue;
            }
            if !self.lanes.contains_key(&webhook) {
                self.touch(webhook, |lane| lane.hear_of(now));
            }
            if self.lanes.get(&webhook).is_some_and(|lane| is_idle(lane, now)) {
                self.forget(webhook, now);
                continue;
            }
            self.touch(webhook, |lane| lane.ripen(now));
            self.plan_rest(webhook, now);
        }
    }

    pub(super) fn read_page(&mut self, webhook: WebhookId, limit: usize, order: DueOrder) {
        let rows = self.engine.store.due_page(DuePage { webhook, limit, order });
        self.underway.push(Box::pin(rows.map(move |rows| Done::Page { webhook, limit, rows })));
    }

    /// Takes a lane out of memory. What it waits for is on disk; one instant stands for all of it.
    fn forget(&mut self, webhook: WebhookId, now: Timestamp) {
        let Some(lane) = self.take_out(webhook) else { return };
        let at = lane.wake_at(now);
        let rests = lane.health().standing() == Standing::Paused;
        if rests {
            self.resting.insert(webhook);
        }
        if !rests && core_of(webhook, self.engine.doorbell.cores()) != self.door.number {
            return self.engine.doorbell.send_home(webhook, at);
        }
        if let Some(at) = at {
            self.timers.wake_by(webhook, at);
        }
    }

    /// Takes a lane out of memory and of all that is counted.
    pub(super) fn take_out(&mut self, webhook: WebhookId) -> Option<Box<Lane>> {
        let lane = self.lanes.remove(&webhook)?;
        if let Some(workspace) = lane.workspace {
            self.round.leave(workspace, webhook);
        }
        self.held -= lane.held();
        self.held_bytes -= lane.ready_bytes();
        self.engine.metrics.deliveries_in_memory.add(-super::signed(lane.held()));
        self.engine.metrics.lanes_in_memory.add(-1);
        Some(lane)
    }

    /// Plans the next look at a lane that has nothing to do: to take it out of memory.
    fn plan_rest(&mut self, webhook: WebhookId, now: Timestamp) {
        if !self.timers.has(webhook) {
            self.timers.wake_by(webhook, now.plus_ms(LANE_IDLE_MS));
        }
    }
}

/// Whether a lane only waits, for longer than it is worth to keep it.
fn is_idle(lane: &Lane, now: Timestamp) -> bool {
    let quiet = now.ms_since(lane.used_at) >= LANE_IDLE_MS;
    let later = lane.wake_at(now).is_none_or(|at| at.ms_since(now) >= LANE_IDLE_MS);
    lane.only_waits(now) && quiet && later
}
