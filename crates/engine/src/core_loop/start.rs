//! Starting attempts: lanes in turn, each within its own bound, all within the core's.

use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::WebhookId;
use signalpost_core::limits::CORE_IN_FLIGHT_MAX;

use super::{Done, FETCH_MAX, Running, UNRECORDED_MAX};
use crate::attempt;
use crate::lane::{Config, Entry};
use crate::lane_config::{LaneConfig, Loaded};

impl Running {
    pub(super) fn start_attempts(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        let mut to_fetch = Vec::new();
        while self.in_flight < CORE_IN_FLIGHT_MAX
            && self.unrecorded < UNRECORDED_MAX
            && to_fetch.len() < FETCH_MAX
        {
            let Some(webhook) = self.round.pop_front() else { break };
            if let Some(lane) = self.lanes.get_mut(&webhook) {
                lane.in_round = false;
                let config = match &lane.config {
                    Config::Ready(config) => Some(Rc::clone(config)),
                    Config::Absent => None,
                    // Its answer puts the lane back into the round.
                    Config::Loading { .. } | Config::Closing => continue,
                };
                match config {
                    Some(config) => self.start_one(config, &mut to_fetch),
                    None => self.load_config(webhook),
                }
            }
        }
        if !to_fetch.is_empty() {
            self.fetch(to_fetch);
        }
    }

    /// Starts the first delivery of a lane, or notes that its event must be read.
    fn start_one(&mut self, config: Rc<LaneConfig>, to_fetch: &mut Vec<Due>) {
        let cut_upto = config.cut_upto;
        let started = self.touch(config.webhook, |lane| {
            if !lane.can_start() {
                return None;
            }
            let entry = lane.pop_ready()?;
            if cut_upto.is_some_and(|upto| entry.due.born <= upto) {
                lane.settle(entry.due.id.event);
                return None;
            }
            lane.in_flight += 1;
            Some(entry)
        });
        let Some(Entry { due, event }) = started else { return };
        self.in_flight += 1;
        match event {
            Some(event) => self.send(config, event, due),
            None => to_fetch.push(due),
        }
    }

    fn send(&mut self, config: Rc<LaneConfig>, event: Arc<Event>, due: Due) {
        self.engine.metrics.attempts_in_flight.add(1);
        let started_at = self.engine.clock.now();
        let attempt = attempt::run(config, event, due, started_at, Rc::clone(&self.transport));
        self.underway.push(Box::pin(attempt.map(Done::Ended)));
    }

    fn fetch(&mut self, dues: Vec<Due>) {
        let mut ids: Vec<_> = dues.iter().map(|due| due.id.event).collect();
        ids.sort_unstable();
        ids.dedup();
        let events = self.engine.store.events_by_id(ids);
        self.underway.push(Box::pin(events.map(move |events| Done::Fetched { dues, events })));
    }

    pub(super) fn load_config(&mut self, webhook: WebhookId) {
        self.questions += 1;
        let question = self.questions;
        if let Some(lane) = self.lanes.get_mut(&webhook) {
            lane.config = Config::Loading { question };
        }
        let engine = Arc::clone(&self.engine);
        let loading = async move {
            let loaded = load(&engine, webhook).await;
            Done::Loaded { webhook, question, loaded }
        };
        self.underway.push(Box::pin(loading));
    }
}

async fn load(engine: &crate::Engine, webhook: WebhookId) -> Result<Loaded, String> {
    let record = engine.store.lane(webhook).await.map_err(|error| error.to_string())?;
    let Some(record) = record else { return Ok(Loaded::Closed) };
    let Some(profile) = engine.profiles.look_up(&record.workspace.dialect) else {
        return Ok(Loaded::Unserved);
    };
    Ok(Loaded::from_record(record, profile, &engine.keyring, engine.clock.now()))
}
