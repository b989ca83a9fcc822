//! How a lane's receiver fares: a pause by the engine leaves everything to the disk but one delivery at a time, the probe.

use signalpost_core::health::{Health, ReleaseOrder, Standing};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{Backlog, HealthChange};

use super::Lane;
use super::pages::PageOrder;
use crate::attempt::Judged;
use crate::doorbell::Resumed;

impl Lane {
    pub(crate) fn health(&self) -> Health {
        self.health.unwrap_or_default()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.health().standing() == Standing::Paused
    }

    /// Takes up what the store knows, once: from then on it is behind what is known here.
    pub(crate) fn recall_health(&mut self, stored: Health, now: Timestamp) {
        if self.health.is_none() {
            self.take_health(stored, ReleaseOrder::OldestFirst, now);
        }
    }

    /// Takes up what an attempt has made of the health. `order` is that of a release, if it is one.
    pub(crate) fn take_health(&mut self, health: Health, order: ReleaseOrder, now: Timestamp) {
        let before = self.health.replace(health).unwrap_or_default();
        match (before.hold, health.hold) {
            (None, None) => {}
            (None, Some(hold)) => {
                self.postpone_all(now);
                self.gate.close_until(hold.next_probe(now), now);
            }
            (Some(_), Some(hold)) => self.gate.close_until(hold.next_probe(now), now),
            (Some(_), None) => self.recover(order, now),
        }
    }

    /// The webhook was switched on or released: whatever is owed may be on disk. A health that the store has set back counts
    /// from there; any other is behind what is known here.
    pub(crate) fn resume(&mut self, resumed: Resumed, now: Timestamp) {
        if resumed.health == Some(Health::default()) {
            if resumed.release.is_some() || self.is_paused() {
                self.gate.begin_anew();
            }
            self.unrecorded.change_health();
            self.health = resumed.health;
            self.order = page_order(resumed.release.unwrap_or_default());
        }
        self.on_disk.look(now);
    }

    /// Takes note of an outcome that is to be recorded. After a change each tells how the receiver fares, until one is sure to be
    /// the last that is recorded.
    pub(crate) fn judged(&mut self, judged: &mut Judged) {
        if judged.finished.health.is_some() {
            self.unrecorded.change_health();
        }
        let (epoch, tells) = self.unrecorded.judge();
        judged.ending.epoch = epoch;
        if judged.ending.closes() {
            // What is committed until this is recorded is left out: some of it may come after the cut.
            judged.ending.ends_upto = self.known.values().map(|known| known.born).max();
        }
        if tells {
            let change = HealthChange { health: self.health(), disable: None, backlog: Backlog::Kept };
            judged.finished.health.get_or_insert(change);
        }
        self.moving.attempts += 1;
    }

    /// Leaves to the disk what comes while the webhook is paused. What waits in memory for a time of its own must not keep it from
    /// being the next probe; the one that has its turn stays.
    pub(super) fn leave_to_disk(&mut self, due_at: Timestamp) {
        if self.ready.is_empty() { self.postpone_all(due_at) } else { self.on_disk.look(due_at) }
    }

    /// Goes on with a receiver that is back, with one request at first.
    fn recover(&mut self, order: ReleaseOrder, now: Timestamp) {
        self.gate.begin_anew();
        self.order = page_order(order);
        self.on_disk.look(now);
    }
}

const fn page_order(order: ReleaseOrder) -> PageOrder {
    match order {
        ReleaseOrder::NewestFirst => PageOrder::NewestFirst,
        // What is skipped is not there.
        ReleaseOrder::OldestFirst | ReleaseOrder::Skip => PageOrder::OldestFirst,
    }
}
