//! What a lane can attempt now, first attempts and further ones apart.

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
}

impl Entry {
    const fn class(&self) -> Class {
        if self.due.tries == 0 { Class::First } else { Class::Again }
    }

    fn bytes(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.content.data.len())
    }
}

#[derive(Debug, Default)]
pub(super) struct Ready {
    queues: PerClass<VecDeque<Entry>>,
    bytes: usize,
}

impl Ready {
    pub(super) fn push_back(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.queues.of_mut(entry.class()).push_back(entry);
    }

    pub(super) fn push_front(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.queues.of_mut(entry.class()).push_front(entry);
    }

    pub(super) fn pop(&mut self, class: Class) -> Option<Entry> {
        let entry = self.queues.of_mut(class).pop_front()?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.queues.first.len() + self.queues.again.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of which classes there is something.
    pub(super) fn classes(&self) -> PerClass<bool> {
        PerClass { first: !self.queues.first.is_empty(), again: !self.queues.again.is_empty() }
    }

    /// Bytes of payload that are held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes another row for a delivery that may be among these. It keeps its place, unless it is a first attempt now and
    /// was none.
    pub(super) fn renew(&mut self, due: Due) {
        let of_it = |entry: &Entry| entry.due.id == due.id;
        for class in Class::ALL {
            let queue = self.queues.of_mut(class);
            let Some(place) = queue.iter().position(of_it) else { continue };
            queue[place].due = due;
            if queue[place].class() != class
                && let Some(entry) = queue.remove(place)
            {
                self.queues.of_mut(entry.class()).push_back(entry);
            }
            return;
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(Due) -> bool) {
        for class in Class::ALL {
            self.queues.of_mut(class).retain(|entry| keep(entry.due));
        }
        let all = self.queues.first.iter().chain(&self.queues.again);
        self.bytes = all.map(Entry::bytes).sum();
    }
}
