//! A start-time fair queue: whoever has used least goes first, counted in worker time and not in turns.
//!
//! P. Goyal, H. M. Vin, H. Cheng, Start-time Fair Queueing, SIGCOMM 1996. What is used is charged when it begins, by what
//! is expected, and corrected when it has ended. Whoever comes back after a rest stands where the last one served stood, so
//! that nothing can be saved up; and no debt is larger than [`FAIR_DEBT_US_MAX`].

use std::collections::BTreeSet;
use std::hash::Hash;

use signalpost_core::limits::FAIR_DEBT_US_MAX;

use crate::id_map::IdMap;

/// By which bounds an attempt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing speaks against it.
    Free,
    /// After one that failed, while its receiver fails.
    Again,
    /// To a receiver that takes long to answer.
    Slow,
}

/// One of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerClass<T> {
    pub(crate) free: T,
    pub(crate) again: T,
    pub(crate) slow: T,
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
    pub(crate) const ALL: [Self; 3] = [Self::Free, Self::Again, Self::Slow];
}

impl<T> PerClass<T> {
    pub(crate) const fn of(&self, class: Class) -> &T {
        match class {
            Class::Free => &self.free,
            Class::Again => &self.again,
            Class::Slow => &self.slow,
        }
    }

    pub(crate) const fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Free => &mut self.free,
            Class::Again => &mut self.again,
            Class::Slow => &mut self.slow,
        }
    }
}

impl PerClass<bool> {
    pub(crate) const NONE: Self = Self { free: false, again: false, slow: false };
}

impl<K> Default for FairQueue<K> {
    fn default() -> Self {
        let waiting = PerClass { free: BTreeSet::new(), again: BTreeSet::new(), slow: BTreeSet::new() };
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
        let waits = |class| !self.waiting.of(class).is_empty();
        PerClass { free: waits(Class::Free), again: waits(Class::Again), slow: waits(Class::Slow) }
    }

    /// Whose turn it is among those that want an attempt of this class, and what it has used.
    pub(crate) fn first(&self, class: Class) -> Option<(u64, K)> {
        self.waiting.of(class).first().copied()
    }

    /// Charges a member whose turn it was with what is expected.
    pub(crate) fn serve(&mut self, key: K, expected_us: u64) {
        // One that is served before its turn takes nobody along: whoever comes back stands where the least served waits.
        let least_us =
            Class::ALL.into_iter().filter_map(|class| self.first(class)).map(|(used_us, _)| used_us).min();
        self.floor_us = self.floor_us.max(least_us.unwrap_or(0));
        let most_us = self.floor_us + FAIR_DEBT_US_MAX;
        self.change(key, |member| {
            member.used_us = (member.used_us + expected_us).min(member.used_us.max(most_us));
        });
    }

    /// Puts what was used in the place of what was expected.
    pub(crate) fn correct(&mut self, key: K, expected_us: u64, used_us: u64) {
        let floor_us = self.floor_us;
        if expected_us != used_us {
            self.change(key, |member| {
                let corrected_us = (member.used_us + used_us).saturating_sub(expected_us);
                member.used_us = corrected_us.clamp(floor_us, floor_us + FAIR_DEBT_US_MAX);
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

    const FREE: PerClass<bool> = PerClass { free: true, ..PerClass::NONE };
    const BOTH: PerClass<bool> = PerClass { again: true, ..FREE };

    fn member(raw: i64) -> WebhookId {
        WebhookId::from_raw(raw)
    }

    /// Serves so many turns, each at the member's own cost, and says how often each was served.
    fn serve(queue: &mut FairQueue<WebhookId>, turns: usize, cost_us: impl Fn(i64) -> u64) -> [usize; 3] {
        let mut served = [0; 3];
        for _ in 0..turns {
            let Some((_, key)) = queue.first(Class::Free) else { break };
            queue.serve(key, cost_us(key.raw()));
            served[usize::try_from(key.raw()).expect("one of three")] += 1;
        }
        served
    }

    #[test]
    fn time_is_shared_and_not_turns() {
        let mut queue = FairQueue::default();
        (0..3).for_each(|raw| queue.stand(member(raw), FREE));
        assert_eq!(
            serve(&mut queue, 120, |raw| [1, 2, 4][usize::try_from(raw).expect("small")]),
            [69, 34, 17]
        );
    }

    #[test]
    fn nothing_is_saved_up_by_resting_and_no_debt_is_forgotten() {
        let mut queue = FairQueue::default();
        (0..2).for_each(|raw| queue.stand(member(raw), FREE));
        queue.stand(member(1), PerClass::NONE);
        assert_eq!(serve(&mut queue, 100, |_| 10), [100, 0, 0]);
        queue.stand(member(1), FREE);
        assert_eq!(serve(&mut queue, 10, |_| 10), [5, 5, 0], "it stands where the other is");
        queue.correct(member(0), 10, 110);
        queue.stand(member(0), PerClass::NONE);
        queue.stand(member(0), FREE);
        assert_eq!(serve(&mut queue, 10, |_| 10), [0, 10, 0], "what took longer than expected is owed");
    }

    #[test]
    fn no_debt_is_larger_than_its_bound_and_no_correction_becomes_a_saving() {
        let mut queue = FairQueue::default();
        (0..2).for_each(|raw| queue.stand(member(raw), FREE));
        queue.serve(member(0), 10);
        (0..100).for_each(|_| queue.correct(member(0), 10, FAIR_DEBT_US_MAX));
        let turn_us = FAIR_DEBT_US_MAX / 10;
        assert!(serve(&mut queue, 12, |_| turn_us)[0] > 0, "ten turns of the other make up for it");
        let (used_us, last) = queue.first(Class::Free).expect("both want to");
        queue.correct(last, used_us, 0);
        assert_eq!(queue.first(Class::Free).map(|(used_us, _)| used_us >= queue.floor_us), Some(true));
    }

    #[test]
    fn a_class_has_its_own_line_and_what_is_used_counts_in_both() {
        let mut queue = FairQueue::default();
        assert_eq!((queue.wants(), queue.first(Class::Free)), (PerClass::NONE, None));
        queue.stand(member(0), BOTH);
        queue.stand(member(1), FREE);
        assert_eq!(queue.first(Class::Again), Some((0, member(0))));
        queue.serve(member(0), 5);
        assert_eq!(queue.first(Class::Free), Some((0, member(1))));
        assert_eq!(queue.first(Class::Again), Some((5, member(0))));
        queue.stand(member(0), FREE);
        assert_eq!(queue.wants(), FREE);
        queue.leave(member(1));
        queue.leave(member(0));
        assert!(queue.is_empty() && queue.wants() == PerClass::NONE);
    }
}
