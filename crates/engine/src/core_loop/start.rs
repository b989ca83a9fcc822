//! Starting attempts: whose turn it is, each lane within its own bound, all within the core's.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use signalpost_core::delivery::Due;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{CORE_LOADS_MAX, CORE_WAVE_MAX};
use signalpost_core::webhook::Remembered;
use signalpost_store::StoreError;

use super::{Done, FETCH_MAX, Running, UNRECORDED_MAX, Underway};
use crate::Engine;
use crate::attempt::{self, EndedAttempt, Unbegun};
use crate::lane::{Config, Started};
use crate::lane_config::{Ended, Loaded};
use crate::permit::Permit;
use crate::round::{Slot, Turn};

impl Running {
    pub(super) fn start_attempts(&mut self) {
        if self.stopping.is_some() || !self.may_rely_on_owners() {
            return;
        }
        self.load_configs();
        let mut to_fetch = Vec::new();
        while self.unbegun.get() < CORE_WAVE_MAX
            && self.unrecorded < UNRECORDED_MAX
            && to_fetch.len() < FETCH_MAX
        {
            let Some(turn) = self.round.turn() else { break };
            self.start_one(turn, &mut to_fetch);
        }
        if !to_fetch.is_empty() {
            self.fetch(to_fetch);
        }
    }

    /// Whether [`Self::start_attempts`] will start more once others have had their turn.
    pub(super) fn may_start_more(&mut self) -> bool {
        self.stopping.is_none()
            && self.unrecorded < UNRECORDED_MAX
            && self.may_rely_on_owners()
            && self.round.turn().is_some()
    }

    /// When not, another node may have any of our groups by now. We are told when it is so again.
    fn may_rely_on_owners(&self) -> bool {
        self.engine.ownership.is_trusted(self.engine.clock.monotonic())
    }

    /// Starts a delivery of the lane whose turn it is, or notes that its event must be read.
    fn start_one(&mut self, turn: Turn, to_fetch: &mut Vec<(Due, Slot)>) {
        let lane = self.lanes.get(&turn.webhook).expect("a lane in the round is in memory");
        let Config::Ready(config) = &lane.config else { unreachable!("it can start something") };
        let permit = Permit::of(&self.engine.ownership, &self.engine.clock, turn.webhook);
        let Some(permit) = permit.filter(|permit| lane.epoch == Some(permit.epoch)) else {
            return self.lose(turn.webhook);
        };
        let (config, expected_us, epoch) = (Rc::clone(config), lane.gate.cost_us(), permit.epoch);
        let slot = self.round.take(turn, expected_us);
        let clock = Arc::clone(&self.engine.clock);
        match self.touch(turn.webhook, |lane| lane.begin(turn.class, &*clock)) {
            None => self.round.give_back(slot, 0),
            Some(Started::WithoutEvent(due)) => to_fetch.push((due, slot)),
            Some(Started::Attempt { due, event, begun }) => {
                self.engine.metrics.attempts_in_flight.add(1);
                let (transport, under_way) = (Rc::clone(&self.transport), permit.begin());
                let attempt = attempt::run(config, permit, event, due, clock.now(), transport);
                self.send(Underway { slot, begun, epoch, under_way }, attempt);
            }
        }
    }

    fn send(
        &mut self,
        underway: Underway,
        attempt: impl Future<Output = Result<EndedAttempt, Unbegun>> + 'static,
    ) {
        let unbegun = Rc::clone(&self.unbegun);
        unbegun.set(unbegun.get() + 1);
        self.underway.push(Box::pin(async move {
            unbegun.set(unbegun.get() - 1);
            Done::Ended(underway, attempt.await)
        }));
    }

    fn fetch(&mut self, dues: Vec<(Due, Slot)>) {
        let mut ids: Vec<_> = dues.iter().map(|(due, _)| due.id.event).collect();
        ids.sort_unstable();
        ids.dedup();
        let events = self.engine.store.events_by_id(ids);
        self.underway.push(Box::pin(events.map(move |events| Done::Fetched { dues, events })));
    }

    fn load_configs(&mut self) {
        while self.loads_in_flight < CORE_LOADS_MAX {
            let Some(webhook) = self.unloaded.pop_front() else { break };
            let Some(lane) = self.lanes.get_mut(&webhook) else { continue };
            lane.waits_for_config = false;
            if lane.needs_config() {
                self.load_config(webhook);
            }
        }
    }

    fn load_config(&mut self, webhook: WebhookId) {
        self.questions += 1;
        let question = self.questions;
        let workspace = self.lanes.get_mut(&webhook).and_then(|lane| {
            lane.config = Config::Loading { question };
            lane.workspace
        });
        self.loads_in_flight += 1;
        let engine = Arc::clone(&self.engine);
        let loading = async move {
            let loaded = load(&engine, workspace, webhook).await;
            Done::Loaded { webhook, question, loaded }
        };
        self.underway.push(Box::pin(loading));
    }
}

/// `workspace` is whose the webhook was when it was loaded before.
async fn load(engine: &Engine, workspace: Option<WorkspaceId>, webhook: WebhookId) -> Result<Loaded, String> {
    let record = engine.store.lane(webhook).await.map_err(|error| error.to_string())?;
    let Some(record) = record else {
        let ended = ended_with(engine, workspace, webhook).await;
        return ended.map(Loaded::Closed).map_err(|error| error.to_string());
    };
    let Some(profile) = engine.profiles.look_up(&record.workspace.dialect) else {
        return Ok(Loaded::Unserved);
    };
    Ok(Loaded::from_record(record, profile, &engine.keyring, engine.clock.now()))
}

/// What has ended with a webhook that is not to be found, if it was deleted.
async fn ended_with(
    engine: &Engine,
    workspace: Option<WorkspaceId>,
    webhook: WebhookId,
) -> Result<Option<Ended>, StoreError> {
    let Some(workspace) = workspace else { return Ok(None) };
    Ok(match engine.remembered_by_id(workspace, webhook).await? {
        Some(Remembered::Deleted(tombstone)) => Some(Ended { workspace, upto: tombstone.settled_after }),
        Some(Remembered::Living(_)) | None => None,
    })
}
