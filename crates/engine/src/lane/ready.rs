//! What a lane can attempt now: first attempts, further ones, and rounds that somebody has asked for once more, apart.

use std::collections::VecDeque;
use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;

use crate::round::{Class, PerClass};

/// A delivery that can be attempted now.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) due: Due,
    /// `None` when it has to be read from the store first.
    pub(super) event: Option<Arc<Event>>,
    pub(super) paid: Paid,
}

/// Whether the pace of the lane has been charged for a delivery that was let go and came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paid {
    Yes,
    No,
}

/// By which bounds the attempts of a lane go at this moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classes {
    pub(super) first: Class,
    pub(super) further: Class,
}

/// First attempts that go before one that was asked for once more, while there are both: what has just happened is not kept
/// waiting by the past, and whoever asked for that is not kept waiting for ever.
const FIRST_BEFORE_ASKED: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct Ready {
    first: VecDeque<Entry>,
    further: VecDeque<Entry>,
    /// First attempts of rounds that were asked for once more.
    asked: VecDeque<Entry>,
    /// First attempts that have gone since one of `asked` went, up to [`FIRST_BEFORE_ASKED`].
    gone_before: u32,
    bytes: usize,
}

/// The queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    First,
    Further,
    Asked,
}

impl Kind {
    const fn of(due: Due) -> Self {
        match (due.tries, due.steps) {
            (0, 0) => Self::First,
            (0, _) => Self::Asked,
            _ => Self::Further,
        }
    }
}

impl Entry {
    pub(super) const fn new(due: Due, event: Option<Arc<Event>>) -> Self {
        Self { due, event, paid: Paid::No }
    }

    fn bytes(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.content.data.len())
    }
}

impl Ready {
    const fn queue(&self, kind: Kind) -> &VecDeque<Entry> {
        match kind {
            Kind::First => &self.first,
            Kind::Further => &self.further,
            Kind::Asked => &self.asked,
        }
    }

    const fn queue_mut(&mut self, kind: Kind) -> &mut VecDeque<Entry> {
        match kind {
            Kind::First => &mut self.first,
            Kind::Further => &mut self.further,
            Kind::Asked => &mut self.asked,
        }
    }

    /// Which first attempts have their turn.
    fn first_kind(&self) -> Kind {
        let their_turn = self.first.is_empty() || self.gone_before >= FIRST_BEFORE_ASKED;
        if their_turn && !self.asked.is_empty() { Kind::Asked } else { Kind::First }
    }

    /// The queue with the delivery of a class that has its turn: of first and further attempts what was due first.
    fn next_kind(&self, class: Class, classes: Classes) -> Option<Kind> {
        let due_at = |kind: Kind, of: Class| {
            self.queue(kind).front().filter(|_| of == class).map(|entry| entry.due.due_at)
        };
        let first_kind = self.first_kind();
        match (due_at(first_kind, classes.first), due_at(Kind::Further, classes.further)) {
            (None, None) => None,
            (Some(first), Some(further)) if further < first => Some(Kind::Further),
            (None, Some(_)) => Some(Kind::Further),
            (Some(_), _) => Some(first_kind),
        }
    }

    pub(super) fn push_back(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        let queue = self.queue_mut(Kind::of(entry.due));
        if queue.capacity() == 0 {
            // Of a hundred thousand lanes most hold one delivery at a time, and the usual first room is for four.
            queue.reserve_exact(1);
        }
        queue.push_back(entry);
    }

    /// Takes back what was popped, as if it had not been.
    pub(super) fn push_front(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        let kind = Kind::of(entry.due);
        match kind {
            Kind::First => self.gone_before = self.gone_before.saturating_sub(1),
            Kind::Further => {}
            Kind::Asked => self.gone_before = FIRST_BEFORE_ASKED,
        }
        self.queue_mut(kind).push_front(entry);
    }

    pub(super) fn front(&self, class: Class, classes: Classes) -> Option<&Entry> {
        self.queue(self.next_kind(class, classes)?).front()
    }

    pub(super) fn pop(&mut self, class: Class, classes: Classes) -> Option<Entry> {
        let kind = self.next_kind(class, classes)?;
        let entry = self.queue_mut(kind).pop_front()?;
        match kind {
            Kind::First => self.gone_before = (self.gone_before + 1).min(FIRST_BEFORE_ASKED),
            Kind::Further => {}
            Kind::Asked => self.gone_before = 0,
        }
        self.bytes -= entry.bytes();
        Some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.in_haste() + self.asked.len()
    }

    /// How many there are of those that do not give way to others.
    pub(super) fn in_haste(&self) -> usize {
        self.first.len() + self.further.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of which classes there is something.
    pub(super) fn wants(&self, classes: Classes) -> PerClass<bool> {
        let mut wants = PerClass::NONE;
        *wants.of_mut(classes.first) |= !(self.first.is_empty() && self.asked.is_empty());
        *wants.of_mut(classes.further) |= !self.further.is_empty();
        wants
    }

    /// Bytes of payload that are held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes another row for a delivery that may be among these. It keeps its place, unless it is a first attempt now and
    /// was none.
    pub(super) fn renew(&mut self, due: Due) {
        let of_it = |entry: &Entry| entry.due.id == due.id;
        if let Some(entry) = self.first.iter_mut().chain(&mut self.asked).find(|entry| of_it(entry)) {
            entry.due = due;
        } else if let Some(place) = self.further.iter().position(of_it)
            && let Some(entry) = self.further.remove(place)
        {
            self.queue_mut(Kind::of(due)).push_back(Entry { due, ..entry });
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(Due) -> bool) {
        self.first.retain(|entry| keep(entry.due));
        self.further.retain(|entry| keep(entry.due));
        self.asked.retain(|entry| keep(entry.due));
        self.bytes = self.first.iter().chain(&self.further).chain(&self.asked).map(Entry::bytes).sum();
    }
}

#[cfg(test)]
mod tests;
