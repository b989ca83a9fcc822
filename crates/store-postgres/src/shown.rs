//! What was shown to whoever delivers while commits were on their way.
//!
//! Others see a commit before its answer comes here. What it owes may be read from the store meanwhile, sent, recorded and forgotten;
//! told of then, it would be sent once more. So what was shown since a transaction began is left out of what it has to tell.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::Rc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::DeliveryId;

/// A round of a delivery.
type Round = (DeliveryId, Sequence);

#[derive(Default)]
pub(crate) struct Shown(RefCell<Log>);

/// What was shown since the oldest transaction began that is under way.
#[derive(Default)]
struct Log {
    rounds: VecDeque<Round>,
    /// How many were shown before those.
    before: usize,
    /// How many had been when transactions began, and how many of them are under way.
    begun: BTreeMap<usize, usize>,
}

/// From the beginning of a transaction until it is told of, or ends otherwise.
pub(crate) struct Since {
    shown: Rc<Shown>,
    from: usize,
}

impl Shown {
    pub(crate) fn begin(self: &Rc<Self>) -> Since {
        let mut log = self.0.borrow_mut();
        let from = log.before + log.rounds.len();
        *log.begun.entry(from).or_default() += 1;
        Since { shown: Rc::clone(self), from }
    }

    /// To be called before whoever asked is answered.
    pub(crate) fn note(&self, rows: impl IntoIterator<Item = Due>) {
        let mut log = self.0.borrow_mut();
        if !log.begun.is_empty() {
            log.rounds.extend(rows.into_iter().map(round));
        }
    }
}

impl Since {
    pub(crate) fn rounds(&self) -> HashSet<Round> {
        let log = self.shown.0.borrow();
        log.rounds.range(self.from - log.before..).copied().collect()
    }
}

impl Drop for Since {
    fn drop(&mut self) {
        let mut log = self.shown.0.borrow_mut();
        if let Some(under_way) = log.begun.get_mut(&self.from) {
            *under_way -= 1;
            if *under_way == 0 {
                log.begun.remove(&self.from);
            }
        }
        let oldest = log.begun.keys().next().copied().unwrap_or(log.before + log.rounds.len());
        let past = oldest - log.before;
        log.rounds.drain(..past);
        log.before = oldest;
    }
}

pub(crate) const fn round(due: Due) -> Round {
    (due.id, due.born)
}

#[cfg(test)]
mod tests {
    use signalpost_core::id::{EventId, WebhookId};
    use signalpost_core::time::Timestamp;

    use super::*;

    fn due(event: i64) -> Due {
        Due {
            id: DeliveryId { event: EventId::from_raw(event), webhook: WebhookId::from_raw(1) },
            due_at: Timestamp::from_ms(event),
            born: Sequence(event),
            steps: 0,
            tries: 0,
            order: None,
        }
    }

    #[test]
    fn what_was_shown_is_kept_for_those_that_had_begun() {
        let shown: Rc<Shown> = Rc::default();
        let events = |since: &Since| {
            let mut events: Vec<i64> = since.rounds().into_iter().map(|(id, _)| id.event.raw()).collect();
            events.sort_unstable();
            events
        };
        shown.note([due(1)]);
        let (first, twin) = (shown.begin(), shown.begin());
        shown.note([due(2), due(3)]);
        let second = shown.begin();
        shown.note([due(4)]);
        assert_eq!((events(&first), events(&second)), (vec![2, 3, 4], vec![4]));
        drop(first);
        assert_eq!((events(&twin), events(&second)), (vec![2, 3, 4], vec![4]));
        drop(twin);
        assert_eq!(shown.0.borrow().rounds.len(), 1, "nobody asks for the others any more");
        shown.note([due(5)]);
        assert_eq!(events(&second), [4, 5]);
        drop(second);
        shown.note([due(6)]);
        assert_eq!(shown.0.borrow().rounds.len(), 0);
        assert_eq!(events(&shown.begin()), [0i64; 0]);
    }
}
