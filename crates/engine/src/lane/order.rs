//! The keys of which a lane has something under way: at most one delivery of each.
//!
//! The store owes one delivery of a key at a time, and that is nearly enough. But a cut frees a key while a request of it is
//! still under way, and what comes after the cut must not overtake it.

use std::collections::BTreeMap;

use signalpost_core::order::OrderKey;
use signalpost_core::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct KeysUnderWay(BTreeMap<OrderKey, Option<Timestamp>>);

impl KeysUnderWay {
    /// Takes a key for a delivery that was due then. When it is taken already that instant is kept.
    pub(super) fn take(&mut self, key: OrderKey, due_at: Timestamp) -> Taken {
        let Some(waits) = self.0.get_mut(&key) else {
            self.0.insert(key, None);
            return Taken::Now;
        };
        *waits = Some(waits.map_or(due_at, |first| first.min(due_at)));
        Taken::Before
    }

    /// Gives a key back. When others of it had to wait: the earliest time at which one was due.
    pub(super) fn give_back(&mut self, key: OrderKey) -> Option<Timestamp> {
        self.0.remove(&key).flatten()
    }
}

/// Whether a key could be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Now,
    /// Something else of it is under way.
    Before,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take { key: i64, due_ms: i64 },
        GiveBack { key: i64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..3i64, 0..9i64).prop_map(|(key, due_ms)| Step::Take { key, due_ms }),
            (0..3i64).prop_map(|key| Step::GiveBack { key }),
        ]
    }

    proptest! {
        /// One of a key at a time, and whoever was turned away is remembered until then, once.
        #[test]
        fn at_most_one_of_a_key_is_under_way(steps in prop::collection::vec(step(), 0..40)) {
            let mut keys = KeysUnderWay::default();
            let mut taken = [false; 3];
            let mut turned_away: [Vec<i64>; 3] = Default::default();
            for step in steps {
                match step {
                    Step::Take { key, due_ms } => {
                        let at = usize::try_from(key).expect("small");
                        let got = keys.take(OrderKey::from_raw(key), Timestamp::from_ms(due_ms));
                        prop_assert_eq!(got == Taken::Before, taken[at]);
                        if taken[at] {
                            turned_away[at].push(due_ms);
                        }
                        taken[at] = true;
                    }
                    Step::GiveBack { key } => {
                        let at = usize::try_from(key).expect("small");
                        let first = keys.give_back(OrderKey::from_raw(key));
                        let expected = std::mem::take(&mut turned_away[at]).into_iter().min();
                        prop_assert_eq!(first, expected.map(Timestamp::from_ms));
                        taken[at] = false;
                    }
                }
            }
        }
    }
}
