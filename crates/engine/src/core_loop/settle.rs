//! What a core does when something that it was waiting for is done.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::figures::FiguresOf;
use signalpost_core::health::Health;
use signalpost_core::id::WebhookId;
use signalpost_core::limits::ATTEMPT_COST_US_MIN;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use super::{Done, LOCKED_PAUSE_MS, RECORDS_IN_FLIGHT_MAX, Running, STORE_PAUSE_MS, Underway};
use crate::attempt::{EndedAttempt, Ending, Judged, Unbegun};
use crate::lane::Config;
use crate::lane_config::Loaded;
use crate::metrics::Metrics;
use crate::record::record;
use crate::round::Slot;

impl Running {
    pub(super) fn deal_with(&mut self, done: Done) {
        match done {
            Done::Ended(underway, Ok(ended)) => self.judge(underway, ended),
            Done::Ended(Underway { slot, .. }, Err(unbegun)) => self.take_back(slot, unbegun),
            Done::Recorded(endings) => {
                self.hear_what_came();
                self.records_in_flight -= 1;
                self.unrecorded -= endings.len();
                let now = self.engine.clock.now();
                endings.iter().for_each(|ending| self.settle(ending, now));
            }
            Done::Loaded { webhook, question, loaded } => {
                self.loads_in_flight -= 1;
                self.take_config(webhook, question, loaded);
            }
            Done::Page { webhook, limit, rows } => self.take_page(webhook, limit, rows),
            Done::Found { asked, found } => self.take_found(&asked, found),
            Done::Fetched { dues, events } => self.take_events(dues, events),
        }
    }

    /// Decides on an attempt that has ended. Its slot is free at once; the delivery stays known until the outcome
    /// is on disk.
    fn judge(&mut self, underway: Underway, ended: EndedAttempt) {
        let now = self.engine.clock.now();
        self.count(&ended);
        let used_us = ended.duration_us().max(ATTEMPT_COST_US_MIN);
        self.engine.metrics.worked(ended.due.tries, used_us);
        self.round.give_back(underway.slot, used_us);
        self.door.attempts.fetch_add(1, Ordering::Relaxed);
        self.unrecorded += 1;
        let random = Arc::clone(&self.engine.random);
        let metrics = Arc::clone(&self.engine.metrics);
        let Judged { finished, ending } = self.touch(ended.due.id.webhook, |lane| {
            lane.gate.end(now);
            // Another receiver may be there by now, which has said nothing.
            let taught = !ended.config.superseded.get();
            if taught {
                lane.gate.learn(underway.begun, ended.load(), used_us);
                lane.gate.obey(ended.asked_for(), now);
            }
            lane.used_at = now;
            let (release, ended_of) = (ended.config.policy.release, ended.due.id.webhook);
            let mut judged = ended.judge(lane.health(), underway.epoch, now, random.as_ref());
            judged.finished.concurrency = if taught { lane.gate.lesson() } else { None };
            if let Some(health) = judged.finished.health {
                tell_pause(&metrics, ended_of, lane.health(), health.health);
                lane.take_health(health.health, release, now);
            }
            lane.judged(&mut judged);
            if judged.ending.closes() {
                lane.config = Config::Closing;
            }
            judged
        });
        self.under_way.push(underway.under_way);
        self.outcomes.push(finished);
        self.endings.push(ending);
    }

    /// An attempt that did not begin goes back to the front of its lane, which decides anew.
    fn take_back(&mut self, slot: Slot, unbegun: Unbegun) {
        self.engine.metrics.attempts_in_flight.add(-1);
        self.round.give_back(slot, 0);
        self.touch(unbegun.due.id.webhook, |lane| {
            lane.gate.leave();
            lane.put_back(unbegun.due, unbegun.event);
        });
    }

    fn count(&self, ended: &EndedAttempt) {
        let metrics = &self.engine.metrics;
        metrics.attempts_in_flight.add(-1);
        metrics.attempted(ended.outcome());
        metrics.attempt_duration.record_us(ended.duration_us());
        if let Some(latency_ms) = ended.latency_ms(self.engine.clock.now()) {
            metrics.delivery_latency.record_us(latency_ms * 1_000);
        }
    }

    /// Hands the outcomes that have gathered to the store, in one verb.
    pub(super) fn record_outcomes(&mut self) {
        if self.outcomes.is_empty() || self.records_in_flight >= RECORDS_IN_FLIGHT_MAX {
            return;
        }
        self.records_in_flight += 1;
        let finished = Arc::new(std::mem::take(&mut self.outcomes));
        let endings = std::mem::take(&mut self.endings);
        let under_way = std::mem::take(&mut self.under_way);
        let engine = &self.engine;
        let record = record(
            Arc::clone(&engine.store),
            Arc::clone(&engine.clock),
            Arc::clone(&engine.metrics),
            finished,
        );
        self.underway.push(Box::pin(async move {
            record.await;
            drop(under_way);
            Done::Recorded(endings)
        }));
    }

    /// An outcome is on disk: the delivery waits for its next try, or is forgotten.
    fn settle(&mut self, ending: &Ending, now: Timestamp) {
        let metrics = &self.engine.metrics;
        match ending.verdict {
            Verdict::Delivered => metrics.deliveries_delivered.add(1),
            Verdict::GiveUp => metrics.deliveries_failed.add(1),
            Verdict::RetryAt(_) => metrics.retries_scheduled.add(1),
            // Counted when the pause began.
            Verdict::HeldUntil(_) => {}
            // The store's word, never ours.
            Verdict::Superseded => {}
        }
        self.tally.ended(ending, now);
        let id = ending.due.id;
        self.touch(id.webhook, |lane| lane.recorded(ending));
        if ending.disabled.is_some() {
            tracing::info!(webhook = id.webhook.raw(), "a webhook was disabled after its last attempt");
            self.engine.directory.forget(ending.workspace);
        }
        if ending.closes() {
            let dropped = self.touch(id.webhook, |lane| {
                lane.config = Config::Absent;
                let dropped = ending.ends_upto.map_or(0, |upto| lane.cut(upto));
                // Its owner may have paused it before and switched it on by now: what is owed is for the store to say.
                lane.postpone_all(now);
                dropped
            });
            self.tally.dropped(FiguresOf::Webhook(ending.workspace, id.webhook), dropped, now);
        }
    }

    fn take_config(&mut self, webhook: WebhookId, question: u64, loaded: Result<Loaded, String>) {
        // One that has gone to another core meanwhile is not made anew here.
        if !self.lanes.contains_key(&webhook) {
            return;
        }
        let now = self.engine.clock.now();
        let (mut left_out, mut dropped) = (None, None);
        self.touch(webhook, |lane| {
            if !matches!(lane.config, Config::Loading { question: asked } if asked == question) {
                return;
            }
            lane.config = Config::Absent;
            match loaded {
                Ok(Loaded::Open(config)) => {
                    lane.recall_health(config.health, now);
                    dropped = config.cut_upto.map(|upto| (config.workspace, lane.cut(upto)));
                    left_out = config.left_out().map(|header| (config.webhook_public_id.clone(), header));
                    lane.gate.recall(config.concurrency);
                    lane.workspace = Some(config.workspace);
                    lane.config = Config::Ready(Rc::from(config));
                }
                Ok(Loaded::Closed(ended)) => {
                    dropped = ended.map(|ended| (ended.workspace, lane.cut(ended.upto)));
                    lane.drop_unstarted();
                }
                Ok(Loaded::Locked(error)) => {
                    tracing::error!(webhook = webhook.raw(), %error, "deliveries are held: check the master key");
                    lane.postpone_all(now.plus_ms(LOCKED_PAUSE_MS));
                }
                // Said once, when it was found.
                Ok(Loaded::Unserved) => lane.postpone_all(now.plus_ms(LOCKED_PAUSE_MS)),
                Err(error) => {
                    tracing::error!(
                        webhook = webhook.raw(),
                        error,
                        "a webhook could not be loaded, trying again"
                    );
                    lane.postpone_all(now.plus_ms(STORE_PAUSE_MS));
                }
            }
        });
        if let Some((workspace, deliveries)) = dropped {
            self.tally.dropped(FiguresOf::Webhook(workspace, webhook), deliveries, now);
        }
        if let Some((webhook, header)) = left_out {
            self.tell_left_out(&webhook, &header);
        }
    }

    /// Its owner counts on a header that is not sent. Told for one webhook of a core, since it takes a change of the
    /// settings to come to it; whoever wants to know all of them looks closer.
    fn tell_left_out(&mut self, webhook: &str, header: &str) {
        if std::mem::replace(&mut self.has_told_left_out, true) {
            tracing::debug!(webhook, header, "a header is not sent: the dialect sets it now");
        } else {
            tracing::warn!(
                webhook,
                header,
                "a header that this webhook's owner has set is not sent, for the dialect sets it now; others like it are told \
                 at level debug"
            );
        }
    }

    fn take_page(&mut self, webhook: WebhookId, limit: usize, rows: Result<Vec<Due>, StoreError>) {
        let now = self.engine.clock.now();
        self.touch(webhook, |lane| match rows {
            Ok(rows) => lane.absorb_page(&rows, limit, now),
            Err(error) => {
                tracing::error!(webhook = webhook.raw(), %error, "a backlog could not be read, trying again");
                lane.fail_page(now.plus_ms(STORE_PAUSE_MS));
            }
        });
    }

    /// Events for deliveries that were ready without theirs. They go back to the front of their lanes, where the
    /// usual rules decide anew: a webhook may have changed meanwhile.
    fn take_events(&mut self, dues: Vec<(Due, Slot)>, events: Result<Vec<Arc<Event>>, StoreError>) {
        let again_at = self.engine.clock.now().plus_ms(STORE_PAUSE_MS);
        let events =
            events.map_err(|error| tracing::error!(%error, "events could not be read, trying again"));
        for (due, slot) in dues.into_iter().rev() {
            self.round.give_back(slot, 0);
            self.touch(due.id.webhook, |lane| {
                lane.gate.leave();
                let Ok(events) = &events else { return lane.give_back(due, again_at) };
                let kept = |event: &&Arc<Event>| event.payload_removed_at.is_none();
                match events.iter().find(|event| event.id == due.id.event).filter(kept) {
                    Some(event) => lane.put_back(due, Arc::clone(event)),
                    None => {
                        tracing::error!(event = due.id.event.raw(), "an owed event is gone from the store");
                        lane.end(due, None);
                    }
                }
            });
        }
    }
}

/// Says when the engine pauses a webhook and when its receiver is back.
fn tell_pause(metrics: &Metrics, webhook: WebhookId, before: Health, after: Health) {
    match (before.hold, after.hold) {
        (None, Some(_)) => {
            metrics.webhooks_paused.add(1);
            let failures = after.consecutive_failures;
            tracing::warn!(webhook = webhook.raw(), failures, "a webhook is paused: its receiver only fails");
        }
        (Some(hold), None) => {
            metrics.webhooks_recovered.add(1);
            let probes = hold.probes;
            tracing::info!(webhook = webhook.raw(), probes, "a paused webhook's receiver is back");
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
}
