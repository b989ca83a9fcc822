//! When each lane wants to be looked at again: one instant a lane, also for lanes that are not in memory.

use std::collections::BTreeSet;

use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;

use crate::id_map::IdMap;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Timestamp, WebhookId)>,
    of_lane: IdMap<WebhookId, Timestamp>,
}

impl Timers {
    /// Wakes a lane at this instant, or earlier if that was planned already.
    pub(crate) fn wake_by(&mut self, webhook: WebhookId, at: Timestamp) {
        match self.of_lane.get(&webhook) {
            Some(planned) if *planned <= at => return,
            Some(planned) => self.by_time.remove(&(*planned, webhook)),
            None => false,
        };
        self.of_lane.insert(webhook, at);
        self.by_time.insert((at, webhook));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// When a lane is to be woken.
    pub(crate) fn of(&self, webhook: WebhookId) -> Option<Timestamp> {
        self.of_lane.get(&webhook).copied()
    }

    pub(crate) fn has(&self, webhook: WebhookId) -> bool {
        self.of_lane.contains_key(&webhook)
    }

    /// Takes out one lane whose instant has come.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<WebhookId> {
        let (at, webhook) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.of_lane.remove(&webhook);
        Some(webhook)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_has_one_instant_and_the_earliest_wins() {
        let (a, b) = (WebhookId::from_raw(1), WebhookId::from_raw(2));
        let at = Timestamp::from_ms;
        let mut timers = Timers::default();
        timers.wake_by(a, at(50));
        timers.wake_by(b, at(40));
        timers.wake_by(a, at(60));
        timers.wake_by(a, at(30));
        assert_eq!((timers.next(), timers.of(a), timers.of(b)), (Some(at(30)), Some(at(30)), Some(at(40))));
        assert_eq!(timers.pop(at(29)), None);
        assert_eq!(timers.pop(at(100)), Some(a));
        assert!(!timers.has(a) && timers.has(b));
        assert_eq!(timers.pop(at(100)), Some(b));
        assert_eq!(timers.pop(at(100)), None);
    }
}
