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

#[derive(Debug, Default)]
pub(super) struct Ready {
    first: VecDeque<Entry>,
    further: VecDeque<Entry>,
    bytes: usize,
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
    fn queue_of(&mut self, due: Due) -> &mut VecDeque<Entry> {
        if due.tries == 0 { &mut self.first } else { &mut self.further }
    }

    /// The queue with the delivery of a class that was due first.
    fn next_queue(&mut self, class: Class, classes: Classes) -> Option<&mut VecDeque<Entry>> {
        let due_at = |queue: &VecDeque<Entry>, of: Class| {
            queue.front().filter(|_| of == class).map(|entry| entry.due.due_at)
        };
        match (due_at(&self.first, classes.first), due_at(&self.further, classes.further)) {
            (None, None) => None,
            (Some(first), Some(further)) if further < first => Some(&mut self.further),
            (None, Some(_)) => Some(&mut self.further),
            (Some(_), _) => Some(&mut self.first),
        }
    }

    pub(super) fn push_back(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.queue_of(entry.due).push_back(entry);
    }

    pub(super) fn push_front(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.queue_of(entry.due).push_front(entry);
    }

    pub(super) fn front(&mut self, class: Class, classes: Classes) -> Option<&Entry> {
        self.next_queue(class, classes)?.front()
    }

    pub(super) fn pop(&mut self, class: Class, classes: Classes) -> Option<Entry> {
        let entry = self.next_queue(class, classes)?.pop_front()?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.further.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of which classes there is something.
    pub(super) fn wants(&self, classes: Classes) -> PerClass<bool> {
        let mut wants = PerClass::NONE;
        *wants.of_mut(classes.first) |= !self.first.is_empty();
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
        if let Some(entry) = self.first.iter_mut().find(|entry| of_it(entry)) {
            entry.due = due;
        } else if let Some(place) = self.further.iter().position(of_it)
            && let Some(entry) = self.further.remove(place)
        {
            self.queue_of(due).push_back(Entry { due, ..entry });
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(Due) -> bool) {
        self.first.retain(|entry| keep(entry.due));
        self.further.retain(|entry| keep(entry.due));
        self.bytes = self.first.iter().chain(&self.further).map(Entry::bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::event::Sequence;
    use signalpost_core::id::{DeliveryId, EventId, WebhookId};
    use signalpost_core::time::Timestamp;

    const WELL: Classes = Classes { first: Class::Free, further: Class::Free };
    const FAILING: Classes = Classes { first: Class::Free, further: Class::Again };
    const SLOW: Classes = Classes { first: Class::Slow, further: Class::Again };

    fn entry(event: i64, due_ms: i64, tries: u32) -> Entry {
        let id = DeliveryId { event: EventId::from_raw(event), webhook: WebhookId::from_raw(1) };
        let due = Due {
            id,
            due_at: Timestamp::from_ms(due_ms),
            born: Sequence(event),
            steps: tries,
            tries,
            order: None,
        };
        Entry::new(due, None)
    }

    fn popped(ready: &mut Ready, class: Class, classes: Classes) -> Vec<i64> {
        std::iter::from_fn(|| ready.pop(class, classes)).map(|entry| entry.due.id.event.raw()).collect()
    }

    fn some() -> Ready {
        let mut ready = Ready::default();
        [entry(1, 10, 0), entry(2, 5, 1), entry(3, 20, 0), entry(4, 15, 3)]
            .into_iter()
            .for_each(|one| ready.push_back(one));
        ready
    }

    #[test]
    fn what_was_due_first_goes_first_unless_its_receiver_fails() {
        assert_eq!(popped(&mut some(), Class::Free, WELL), [2, 1, 4, 3]);
        assert_eq!(popped(&mut some(), Class::Free, FAILING), [1, 3]);
        assert_eq!(popped(&mut some(), Class::Again, FAILING), [2, 4]);
        assert_eq!(popped(&mut some(), Class::Slow, SLOW), [1, 3]);
        assert_eq!(popped(&mut some(), Class::Slow, FAILING), [0i64; 0]);
        let wants = |classes| some().wants(classes);
        assert_eq!(wants(WELL), PerClass { free: true, ..PerClass::NONE });
        assert_eq!(wants(SLOW), PerClass { free: false, again: true, slow: true });
    }

    #[test]
    fn a_new_round_of_a_further_attempt_is_a_first_one() {
        let mut ready = some();
        ready.renew(Due { tries: 0, ..entry(2, 30, 1).due });
        ready.renew(entry(9, 1, 0).due);
        assert_eq!(popped(&mut ready, Class::Again, FAILING), [4]);
        assert_eq!(popped(&mut ready, Class::Free, FAILING), [1, 3, 2]);
    }
}
