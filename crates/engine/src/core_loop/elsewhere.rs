//! What another node has accepted and told by name: looked up many at a time, for all lanes of the core at once, with its events.
//!
//! A page would find it as well, together with all that is under way already.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_core::limits::{
    CORE_MEMORY_BYTES_MAX, CORE_MEMORY_DELIVERIES_MAX, TOLD_AT_ONCE_MAX, TOLD_WAITING_MAX,
};
use signalpost_store::StoreError;

use super::{Done, Running, STORE_PAUSE_MS};
use crate::lane::{Lane, Payload};

/// Deliveries that were told and are still to be looked up.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    told: Vec<DeliveryId>,
    /// The store has been asked for some, and has not answered.
    asked: bool,
}

#[cfg(test)]
impl Elsewhere {
    pub(super) const fn is_asked(&self) -> bool {
        self.asked
    }
}

impl Running {
    /// A lane that is behind, or has no room, finds them when it comes to them.
    pub(super) fn hear_of_elsewhere(&mut self, webhook: WebhookId, events: Vec<EventId>) {
        if self.rests(webhook) {
            return;
        }
        let has_room = self.elsewhere.told.len() < TOLD_WAITING_MAX
            && self.held < CORE_MEMORY_DELIVERIES_MAX
            && self.held_bytes < CORE_MEMORY_BYTES_MAX;
        let now = self.engine.clock.now();
        let unknown = self.touch(webhook, |lane| {
            lane.used_at = now;
            if has_room && lane.keeps_up(now) {
                return events.into_iter().filter(|event| !lane.knows(*event)).collect();
            }
            lane.hear_of_events(&events, now);
            Vec::new()
        });
        self.elsewhere.told.extend(unknown.into_iter().map(|event| DeliveryId { event, webhook }));
    }

    /// Asks for what was told. While the store is being asked, more gathers.
    pub(super) fn look_for_told(&mut self) {
        if self.elsewhere.asked || self.elsewhere.told.is_empty() || self.stopping.is_some() {
            return;
        }
        let first = self.elsewhere.told.len().min(TOLD_AT_ONCE_MAX);
        let told: Vec<DeliveryId> = self.elsewhere.told.drain(..first).collect();
        let asked = self.still_here(told);
        if asked.is_empty() {
            return;
        }
        self.elsewhere.asked = true;
        for delivery in &asked {
            self.touch(delivery.webhook, Lane::begin_look);
        }
        let found = self.engine.store.unattempted(asked.clone());
        self.underway.push(Box::pin(async move { Done::Found { asked, found: found.await } }));
    }

    /// Those of lanes that are this core's as they were when it was told: meanwhile one may have been given to another core, which
    /// hears of them then, or rests.
    fn still_here(&self, told: Vec<DeliveryId>) -> Vec<DeliveryId> {
        let doorbell = &self.engine.doorbell;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|told| doorbell.is_with(self.door.number, told.webhook));
        if !elsewhere.is_empty() {
            doorbell.accepted_elsewhere(&elsewhere);
        }
        here.into_iter().filter(|told| self.is_ours(told.webhook) && !self.rests(told.webhook)).collect()
    }

    pub(super) fn take_found(
        &mut self,
        asked: &[DeliveryId],
        found: Result<Vec<(Due, Arc<Event>)>, StoreError>,
    ) {
        self.elsewhere.asked = false;
        let again_at = self.engine.clock.now().plus_ms(STORE_PAUSE_MS);
        let found = found.map_err(|error| {
            tracing::error!(%error, "what another node has accepted could not be read, trying again");
        });
        let mut by_lane: BTreeMap<WebhookId, Vec<(Due, Arc<Event>)>> =
            asked.iter().map(|delivery| (delivery.webhook, Vec::new())).collect();
        for (due, event) in found.iter().flatten() {
            by_lane.entry(due.id.webhook).or_default().push((*due, Arc::clone(event)));
        }
        for (webhook, found_of_it) in by_lane {
            let payload =
                if self.held_bytes >= CORE_MEMORY_BYTES_MAX { Payload::ReadAgain } else { Payload::Keep };
            self.touch(webhook, |lane| {
                lane.end_look(found_of_it, payload);
                if found.is_err() {
                    lane.hear_of(again_at);
                }
            });
        }
    }
}
