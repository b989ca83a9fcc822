//! What a lane may be owed that memory does not answer for: when to look for it, and how far back.

use signalpost_core::id::{EventId, minted_at};
use signalpost_core::limits::LANE_LOOK_BACK_INTERVAL;
use signalpost_core::time::Timestamp;

/// By how much an event may have been accepted before its id says: a clock that was set back, or a node that goes by another.
const ID_AHEAD_MS: i64 = 2_000;
const BEGINNING: Timestamp = Timestamp::from_ms(i64::MIN);

/// Everything that was deleted is gone through again by whoever looks from the beginning, until the store has cleared it away. So
/// what is known to be due later is looked for from there on.
#[derive(Debug, Default)]
pub(super) struct OnDisk {
    expected: Option<Expected>,
    /// When it was last looked for from the beginning.
    whole_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Expected {
    at: Timestamp,
    /// It is due no earlier.
    due_from: Timestamp,
}

impl OnDisk {
    /// Something that is due then.
    pub(super) fn expect(&mut self, due_at: Timestamp) {
        self.add(Expected { at: due_at, due_from: due_at });
    }

    /// Events that somebody has accepted.
    pub(super) fn expect_events(&mut self, events: &[EventId], now: Timestamp) {
        let first = events.iter().min().map_or(BEGINNING, |first| minted_at(first.raw()));
        self.add(Expected { at: now, due_from: first.plus_ms(-ID_AHEAD_MS) });
    }

    /// Something of which nobody knows since when it is due, to be looked for then.
    pub(super) fn look(&mut self, at: Timestamp) {
        self.add(Expected { at, due_from: BEGINNING });
    }

    fn add(&mut self, new: Expected) {
        self.expected = Some(self.expected.map_or(new, |known| Expected {
            at: known.at.min(new.at),
            due_from: known.due_from.min(new.due_from),
        }));
    }

    /// Nothing.
    pub(super) const fn forget(&mut self) {
        self.expected = None;
    }

    /// When to look.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.expected.map(|expected| expected.at)
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.at().is_some_and(|at| at <= now)
    }

    /// Begins to look for what is expected: from when on. Once in a while from the beginning, whatever is known: what was told may
    /// not have come.
    pub(super) fn take(&mut self, now: Timestamp) -> Timestamp {
        let due_from = self.expected.take().map_or(BEGINNING, |expected| expected.due_from);
        let interval_ms = i64::try_from(LANE_LOOK_BACK_INTERVAL.as_millis()).expect("minutes");
        let is_long_ago = self.whole_at.is_none_or(|at| now.ms_since(at) >= interval_ms || at > now);
        if due_from > BEGINNING && !is_long_ago {
            return due_from;
        }
        self.whole_at = Some(now);
        BEGINNING
    }
}
