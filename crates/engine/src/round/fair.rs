//! A start-time fair queue: whoever has used least goes first, counted in worker time and not in turns.
//!
//! P. Goyal, H. M. Vin, H. Cheng, Start-time Fair Queueing, SIGCOMM 1996. What is used is charged when it begins, by what
//! is expected, and corrected when it has ended. Whoever comes back after a rest stands where the last one served stood, so
//! that nothing can be saved up.

use std::collections::BTreeSet;
use std::hash::Hash;

use crate::id_map::IdMap;

/// What an attempt is to its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    First,
    /// After one that failed.
    Again,
}

/// One of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerClass<T> {
    pub(crate) first: T,
    pub(crate) again: T,
}

/// Members that want attempts of one class or both.
#[derive(Debug)]
pub(crate) struct FairQueue<K> {
    members: IdMap<K, Member>,
    /// Those that want something, by what they have used.
    waiting: PerClass<BTreeSet<(u64, K)>>,
    /// What the member had used that was served last.
    floor_us: u64,
}

#[derive(Debug, Default)]
struct Member {
    used_us: u64,
    wants: PerClass<bool>,
}

impl Class {
    pub(crate) const ALL: [Self; 2] = [Self::First, Self::Again];
}

impl<T> PerClass<T> {
    pub(crate) const fn of(&self, class: Class) -> &T {
        match class {
            Class::First => &self.first,
            Class::Again => &self.again,
        }
    }

    pub(crate) const fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::First => &mut self.first,
            Class::Again => &mut self.again,
        }
    }
}

impl PerClass<bool> {
    pub(crate) const NONE: Self = Self { first: false, again: false };
}

impl<K> Default for FairQueue<K> {
    fn default() -> Self {
        let waiting = PerClass { first: BTreeSet::new(), again: BTreeSet::new() };
        Self { members: IdMap::default(), waiting, floor_us: 0 }
    }
}

impl<K: Copy + Ord + Hash> FairQueue<K> {
    /// Takes note of what a member wants. What it has used is remembered until it [leaves](Self::leave).
    pub(crate) fn stand(&mut self, key: K, wants: PerClass<bool>) {
        let floor_us = self.floor_us;
        self.change(key, |member| {
            if member.wants == PerClass::NONE {
                member.used_us = member.used_us.max(floor_us);
            }
            member.wants = wants;
        });
    }

    pub(crate) fn leave(&mut self, key: K) {
        self.stand(key, PerClass::NONE);
        self.members.remove(&key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What its members want, taken together.
    pub(crate) fn wants(&self) -> PerClass<bool> {
        PerClass { first: !self.waiting.first.is_empty(), again: !self.waiting.again.is_empty() }
    }

    /// Whose turn it is among those that want an attempt of this class.
    pub(crate) fn first(&self, class: Class) -> Option<K> {
        self.waiting.of(class).first().map(|(_, key)| *key)
    }

    /// Charges a member whose turn it was with what is expected.
    pub(crate) fn serve(&mut self, key: K, expected_us: u64) {
        let served_at_us = self.change(key, |member| {
            let before_us = member.used_us;
            member.used_us += expected_us;
            before_us
        });
        self.floor_us = self.floor_us.max(served_at_us);
    }

    /// Puts what was used in the place of what was expected.
    pub(crate) fn correct(&mut self, key: K, expected_us: u64, used_us: u64) {
        if expected_us != used_us {
            self.change(key, |member| {
                member.used_us = (member.used_us + used_us).saturating_sub(expected_us);
            });
        }
    }

    /// Changes a member, which is made if there is none, and keeps the order in step with it.
    fn change<R>(&mut self, key: K, change: impl FnOnce(&mut Member) -> R) -> R {
        let member = self.members.entry(key).or_default();
        let before = (member.used_us, member.wants);
        let result = change(member);
        let after = (member.used_us, member.wants);
        if before != after {
            for class in Class::ALL {
                if *before.1.of(class) {
                    self.waiting.of_mut(class).remove(&(before.0, key));
                }
                if *after.1.of(class) {
                    self.waiting.of_mut(class).insert((after.0, key));
                }
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::id::WebhookId;

    const FIRST: PerClass<bool> = PerClass { first: true, again: false };
    const BOTH: PerClass<bool> = PerClass { first: true, again: true };

    fn member(raw: i64) -> WebhookId {
        WebhookId::from_raw(raw)
    }

    /// Serves so many turns, each at the member's own cost, and says how often each was served.
    fn serve(queue: &mut FairQueue<WebhookId>, turns: usize, cost_us: impl Fn(i64) -> u64) -> [usize; 3] {
        let mut served = [0; 3];
        for _ in 0..turns {
            let Some(key) = queue.first(Class::First) else { break };
            queue.serve(key, cost_us(key.raw()));
            served[usize::try_from(key.raw()).expect("one of three")] += 1;
        }
        served
    }

    #[test]
    fn time_is_shared_and_not_turns() {
        let mut queue = FairQueue::default();
        (0..3).for_each(|raw| queue.stand(member(raw), FIRST));
        assert_eq!(
            serve(&mut queue, 120, |raw| [1, 2, 4][usize::try_from(raw).expect("small")]),
            [69, 34, 17]
        );
    }

    #[test]
    fn nothing_is_saved_up_by_resting_and_no_debt_is_forgotten() {
        let mut queue = FairQueue::default();
        (0..2).for_each(|raw| queue.stand(member(raw), FIRST));
        queue.stand(member(1), PerClass::NONE);
        assert_eq!(serve(&mut queue, 100, |_| 10), [100, 0, 0]);
        queue.stand(member(1), FIRST);
        assert_eq!(serve(&mut queue, 10, |_| 10), [5, 5, 0], "it stands where the other is");
        queue.correct(member(0), 10, 110);
        queue.stand(member(0), PerClass::NONE);
        queue.stand(member(0), FIRST);
        assert_eq!(serve(&mut queue, 10, |_| 10), [0, 10, 0], "what took longer than expected is owed");
    }

    #[test]
    fn a_class_has_its_own_line_and_what_is_used_counts_in_both() {
        let mut queue = FairQueue::default();
        assert_eq!((queue.wants(), queue.first(Class::First)), (PerClass::NONE, None));
        queue.stand(member(0), BOTH);
        queue.stand(member(1), FIRST);
        assert_eq!(queue.first(Class::Again), Some(member(0)));
        queue.serve(member(0), 5);
        assert_eq!(
            (queue.first(Class::First), queue.first(Class::Again)),
            (Some(member(1)), Some(member(0)))
        );
        queue.stand(member(0), FIRST);
        assert_eq!(queue.wants(), FIRST);
        queue.leave(member(1));
        queue.leave(member(0));
        assert!(queue.is_empty() && queue.wants() == PerClass::NONE);
    }
}
