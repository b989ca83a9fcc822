//! The publishers' side of the ledger: every event, what the server said about it, and when it was asked and answered.

use super::stopwatch::{Ms, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server has confirmed that it is stored.
    Acknowledged,
    /// The server has said that it is not stored.
    Refused,
    /// No answer came and the call could not be repeated: stored as a whole, or not at all.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) number: u32,
    pub(super) workspace: usize,
    pub(super) fate: Fate,
    /// As acknowledged; empty otherwise.
    pub(super) id: Box<str>,
    pub(super) sequence: u64,
    /// Webhooks that get it, as the server said.
    pub(super) targets: u32,
    /// From the first time it was sent until it was answered, or given up.
    pub(super) asked: Span,
    /// How long after an unanswered call it may still be stored: it may stand in the queue of a server that stands still.
    pub(super) stored_late_ms: Ms,
}

/// All events, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    events: Vec<Option<Event>>,
    /// Calls that were sent again because no answer had come, and how often.
    pub(super) repeated: u64,
    /// Answered calls that were sent again on purpose.
    pub(super) replayed: u64,
    /// Calls that were answered with "come back later" or "no room".
    pub(super) refused_calls: u64,
}

impl Book {
    pub(super) fn enter(&mut self, event: Event) {
        let at = event.number as usize;
        if self.events.len() <= at {
            self.events.resize(at + 1, None);
        }
        self.events[at] = Some(event);
    }

    pub(super) fn absorb(&mut self, other: Self) {
        other.events.into_iter().flatten().for_each(|event| self.enter(event));
        self.repeated += other.repeated;
        self.replayed += other.replayed;
        self.refused_calls += other.refused_calls;
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().flatten()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Event> {
        self.events.get(number as usize)?.as_ref()
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.events().filter(|event| event.fate == Fate::Acknowledged).count()
    }
}

/// A short name for an event's id: FNV-1a, enough to tell two ids of one event apart.
pub(super) fn fingerprint(id: &str) -> u64 {
    id.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

impl Event {
    /// The time in which it was stored, if it was.
    pub(super) fn stored_within(&self) -> Span {
        match self.fate {
            Fate::Unknown => self.asked.widened(0, self.stored_late_ms),
            Fate::Acknowledged | Fate::Refused => self.asked,
        }
    }
}
