//! The keys of which a lane has something under way: at most one delivery of each.
//!
//! The store owes one delivery of a key at a time, and that is nearly enough. But a cut frees a key while a request of it is
//! still under way, and what comes after the cut must not overtake it.

use std::collections::BTreeMap;

use signalpost_core::delivery::Due;
use signalpost_core::order::OrderKey;
use signalpost_core::time::Timestamp;

use super::ready::Entry;

#[derive(Debug, Default)]
pub(super) struct KeysUnderWay(BTreeMap<OrderKey, TurnedAway>);

/// What had to wait because something of its key is under way.
#[derive(Debug, Default)]
pub(super) struct TurnedAway {
    /// The first of them, which memory goes on to answer for.
    pub(super) next: Option<Entry>,
    /// The earliest time at which another was due, which is left to the disk.
    pub(super) on_disk_from: Option<Timestamp>,
}

/// Whether a key could be had.
#[derive(Debug)]
pub(super) enum Taken {
    Now(Entry),
    /// Something else of it is under way. The delivery is kept until that gives the key back.
    Kept,
    /// As `Kept`, but another is kept already: this one is left to the disk.
    LeftToDisk,
}

impl KeysUnderWay {
    /// Takes the key of a delivery, if it has one.
    pub(super) fn take(&mut self, entry: Entry) -> Taken {
        let Some(place) = entry.due.order else { return Taken::Now(entry) };
        let Some(turned_away) = self.0.get_mut(&place.key) else {
            self.0.insert(place.key, TurnedAway::default());
            return Taken::Now(entry);
        };
        if turned_away.next.is_none() {
            // What is kept here is not counted as held; its event is read again.
            turned_away.next = Some(Entry { event: None, ..entry });
            return Taken::Kept;
        }
        let due_at = entry.due.due_at;
        turned_away.on_disk_from = Some(turned_away.on_disk_from.map_or(due_at, |from| from.min(due_at)));
        Taken::LeftToDisk
    }

    /// Gives a key back, and what had to wait for it.
    pub(super) fn give_back(&mut self, key: OrderKey) -> TurnedAway {
        self.0.remove(&key).unwrap_or_default()
    }

    /// Takes another row for a delivery that may be kept.
    pub(super) fn renew(&mut self, due: Due) {
        let mut kept = self.0.values_mut().filter_map(|turned_away| turned_away.next.as_mut());
        if let Some(entry) = kept.find(|entry| entry.due.id == due.id) {
            entry.due = due;
        }
    }

    /// Forgets what is kept of it.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Due) -> bool) {
        for turned_away in self.0.values_mut() {
            turned_away.next.take_if(|entry| !keep(entry.due));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use signalpost_core::event::Sequence;
    use signalpost_core::id::{DeliveryId, EventId, WebhookId};
    use signalpost_core::order::OrderPlace;

    const KEYS: usize = 3;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take { key: usize, due_ms: i64 },
        GiveBack { key: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..KEYS, 0..9i64).prop_map(|(key, due_ms)| Step::Take { key, due_ms }),
            (0..KEYS).prop_map(|key| Step::GiveBack { key }),
        ]
    }

    fn key(key: usize) -> OrderKey {
        OrderKey::from_raw(i64::try_from(key).expect("small"))
    }

    fn entry(event: usize, of: usize, due_ms: i64) -> Entry {
        let raw = i64::try_from(event).expect("small");
        let id = DeliveryId { event: EventId::from_raw(raw), webhook: WebhookId::from_raw(1) };
        let (due_at, born) = (Timestamp::from_ms(due_ms), Sequence(raw));
        let order = Some(OrderPlace { key: key(of), sequence: born });
        Entry::new(Due { id, due_at, born, steps: 0, tries: 0, order }, None)
    }

    proptest! {
        /// One of a key at a time; whoever was turned away first comes back, and the others are remembered until then, once.
        #[test]
        fn at_most_one_of_a_key_is_under_way(steps in prop::collection::vec(step(), 0..40)) {
            let mut keys = KeysUnderWay::default();
            let mut taken = [false; KEYS];
            let mut turned_away: [Vec<(usize, i64)>; KEYS] = Default::default();
            for (event, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Take { key, due_ms } => {
                        let got = keys.take(entry(event, key, due_ms));
                        let expected = match (taken[key], turned_away[key].len()) {
                            (false, _) => matches!(got, Taken::Now(_)),
                            (true, 0) => matches!(got, Taken::Kept),
                            (true, _) => matches!(got, Taken::LeftToDisk),
                        };
                        prop_assert!(expected, "{got:?}");
                        if taken[key] {
                            turned_away[key].push((event, due_ms));
                        }
                        taken[key] = true;
                    }
                    Step::GiveBack { key: of } => {
                        let TurnedAway { next, on_disk_from } = keys.give_back(key(of));
                        let waited = std::mem::take(&mut turned_away[of]);
                        let next = next.map(|entry| entry.due.born.0);
                        prop_assert_eq!(next, waited.first().map(|(event, _)| *event as i64));
                        let others = waited.iter().skip(1).map(|(_, due_ms)| *due_ms).min();
                        prop_assert_eq!(on_disk_from, others.map(Timestamp::from_ms));
                        taken[of] = false;
                    }
                }
            }
        }
    }

    #[test]
    fn what_waits_for_its_key_can_be_renewed_and_ended() {
        let mut keys = KeysUnderWay::default();
        (1..=2).for_each(|event| drop(keys.take(entry(event, 0, 5))));
        let newer = Due { steps: 3, ..entry(2, 0, 9).due };
        keys.renew(newer);
        keys.retain(|due| due.born != Sequence(1));
        assert_eq!(keys.give_back(key(0)).next.map(|entry| entry.due), Some(newer));
        (1..=2).for_each(|event| drop(keys.take(entry(event, 0, 5))));
        keys.retain(|due| due.born != Sequence(2));
        assert!(keys.give_back(key(0)).next.is_none());
    }
}
