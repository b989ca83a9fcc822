//! A lane that changes cores: nothing of it is under way then, and what it was owed is on disk.

use std::time::Duration;

use signalpost_core::health::Health;
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::limits::LANE_MOVE_WAIT;
use signalpost_core::time::Timestamp;

use super::gate::Gate;
use super::pages::PageOrder;
use super::unrecorded::Unrecorded;
use super::{Config, Lane};

/// Whether a lane is about to leave, and what it has done since somebody counted.
#[derive(Debug, Default)]
pub(super) struct Moving {
    /// Nothing starts any more.
    pub(super) leaves: bool,
    pub(super) attempts: u64,
}

/// What a lane takes along: what is known of its receiver here and nowhere else.
#[derive(Debug)]
pub(crate) struct Luggage {
    /// As the lane had it.
    pub(crate) epoch: Option<GroupEpoch>,
    gate: Gate,
    health: Option<Health>,
    unrecorded: Unrecorded,
    order: PageOrder,
}

impl Lane {
    /// Attempts that have ended since this was asked last. `None` for a lane that cannot be moved as it is.
    pub(crate) fn take_attempts(&mut self) -> Option<u64> {
        let attempts = std::mem::take(&mut self.moving.attempts);
        // One whose receiver takes long would not come to rest in time.
        let is_quick = Duration::from_micros(self.gate.cost_us()) < LANE_MOVE_WAIT;
        let can_move = is_quick && matches!(self.config, Config::Ready(_)) && !self.is_paused();
        can_move.then_some(attempts)
    }

    /// Starts nothing more, or goes on after all.
    pub(crate) const fn leave(&mut self) {
        self.moving.leaves = true;
    }

    pub(crate) const fn stay(&mut self) {
        self.moving.leaves = false;
    }

    /// Starts nothing more for good: another node has the webhook now. What is under way comes to its end.
    pub(crate) fn lose(&mut self) {
        self.leave();
        self.drop_config();
        self.drop_unstarted();
    }

    /// Whether nothing of it is under way: no request, no record, and no question to the store.
    pub(crate) fn is_still(&self) -> bool {
        self.gate.in_flight() == 0
            && self.unrecorded.is_empty()
            && self.reading.is_none()
            && self.looking.is_none()
            && matches!(self.config, Config::Ready(_) | Config::Absent)
    }

    /// Leaves everything that it is owed to the disk.
    pub(crate) fn pack(self) -> Luggage {
        let Self { epoch, gate, health, unrecorded, order, .. } = self;
        Luggage { epoch, gate, health, unrecorded, order }
    }

    /// Goes on as it has left another core.
    pub(crate) fn unpack(&mut self, luggage: Luggage, now: Timestamp) {
        debug_assert_eq!(self.gate.in_flight(), 0, "nothing starts before the luggage is there");
        let Luggage { epoch: _, gate, health, unrecorded, order } = luggage;
        (self.gate, self.health, self.unrecorded, self.order) = (gate, health, unrecorded, order);
        self.used_at = now;
        self.on_disk.look(now);
    }
}
