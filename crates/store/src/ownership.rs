//! Which lane groups this process delivers for.
//!
//! A store says it, since it is where nodes meet; whoever delivers asks before every attempt. On a store that no two processes
//! share all groups are ours for ever.

use std::array;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::lane_share::NodeNumber;
use signalpost_core::limits::LANE_GROUPS;
use signalpost_core::time::Monotonic;

use crate::lease_counts::LeaseCounts;

/// No epoch has this number.
const NOT_OURS: u64 = 0;

/// Called when groups have come or gone, or what is known of them may be relied on again. Must not block.
pub type Listener = Arc<dyn Fn() + Send + Sync>;

/// What a store and those who deliver from it share.
pub struct Ownership {
    epochs: [AtomicU64; LANE_GROUPS],
    /// On the monotonic clock of the process, in microseconds.
    trusted_until_us: AtomicU64,
    /// Attempts that have begun and are not recorded.
    under_way: [AtomicUsize; LANE_GROUPS],
    listener: Mutex<Option<Listener>>,
    node: AtomicU16,
    /// Set for good when this process is about to end.
    retires: AtomicBool,
    on_retirement: Mutex<Option<Listener>>,
    counts: LeaseCounts,
}

impl Default for Ownership {
    /// As [`Self::of_all`].
    fn default() -> Self {
        Self::of_all()
    }
}

impl Ownership {
    /// Every group, for ever.
    pub fn of_all() -> Self {
        Self::made(GroupEpoch::ONLY.number(), u64::MAX)
    }

    /// No group yet.
    pub fn of_none() -> Self {
        Self::made(NOT_OURS, 0)
    }

    fn made(epoch: u64, trusted_until_us: u64) -> Self {
        let epochs = array::from_fn(|_| AtomicU64::new(epoch));
        Self {
            epochs,
            trusted_until_us: AtomicU64::new(trusted_until_us),
            under_way: array::from_fn(|_| AtomicUsize::new(0)),
            listener: Mutex::default(),
            node: AtomicU16::new(0),
            retires: AtomicBool::new(false),
            on_retirement: Mutex::default(),
            counts: LeaseCounts::default(),
        }
    }

    /// The number of this process among those that share the store, for the ids that it makes. It changes when the others have
    /// thought it to be gone.
    pub fn node(&self) -> NodeNumber {
        self.node.load(Ordering::Acquire)
    }

    pub fn be_node(&self, number: NodeNumber) {
        self.node.store(number, Ordering::Release);
    }

    /// Says that this process starts no more attempts: other nodes may have its groups as soon as nothing of them is under way.
    pub fn retire(&self) {
        self.retires.store(true, Ordering::Release);
        call(&self.on_retirement);
    }

    pub fn retires(&self) -> bool {
        self.retires.load(Ordering::Acquire)
    }

    /// For the store: called by [`Self::retire`].
    pub fn on_retirement(&self, listener: Listener) {
        *self.on_retirement.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Counted by the store, told by whoever shows them.
    pub const fn counts(&self) -> &LeaseCounts {
        &self.counts
    }

    pub fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// Tells whoever listens to look at it again.
    pub fn tell(&self) {
        call(&self.listener);
    }

    /// Under which epoch a group is ours, as far as we know; `None` when it is another's.
    pub fn epoch_of(&self, group: LaneGroup) -> Option<GroupEpoch> {
        GroupEpoch::numbered(self.epochs[group.number()].load(Ordering::Acquire))
    }

    /// Whether what we know may be relied on: another node takes no group of ours before this is over.
    pub fn is_trusted(&self, now: Monotonic) -> bool {
        now.as_us() < self.trusted_until_us.load(Ordering::Acquire)
    }

    /// Groups that are ours.
    pub fn groups(&self) -> impl Iterator<Item = (LaneGroup, GroupEpoch)> + '_ {
        LaneGroup::all().filter_map(|group| Some((group, self.epoch_of(group)?)))
    }

    /// An attempt for a webhook of this group has begun; it is under way until what is given is dropped.
    pub fn begin(self: &Arc<Self>, group: LaneGroup) -> UnderWay {
        self.under_way[group.number()].fetch_add(1, Ordering::AcqRel);
        UnderWay { ownership: Arc::clone(self), group }
    }

    /// Whether nothing of a group is under way. It may begin yet, unless the group was lost before.
    pub fn is_idle(&self, group: LaneGroup) -> bool {
        self.under_way[group.number()].load(Ordering::Acquire) == 0
    }

    pub fn take(&self, group: LaneGroup, epoch: GroupEpoch) {
        self.epochs[group.number()].store(epoch.number(), Ordering::Release);
    }

    pub fn lose(&self, group: LaneGroup) {
        self.epochs[group.number()].store(NOT_OURS, Ordering::Release);
    }

    pub fn trust_until(&self, until: Monotonic) {
        self.trusted_until_us.store(until.as_us(), Ordering::Release);
    }
}

fn call(listener: &Mutex<Option<Listener>>) {
    let listener = listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(listener) = listener {
        listener();
    }
}

/// An attempt that has begun and is not recorded.
pub struct UnderWay {
    ownership: Arc<Ownership>,
    group: LaneGroup,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.ownership.under_way[self.group.number()].fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Monotonic = Monotonic::from_us(u64::MAX - 1);

    #[test]
    fn a_group_is_ours_from_when_it_is_taken_until_it_is_lost() {
        let (ownership, group) = (Ownership::of_none(), LaneGroup::numbered(3).expect("there are more"));
        let epoch = GroupEpoch::numbered(7).expect("it is not zero");
        ownership.take(group, epoch);
        assert_eq!(ownership.groups().collect::<Vec<_>>(), [(group, epoch)]);
        ownership.lose(group);
        assert_eq!((ownership.epoch_of(group), ownership.groups().count()), (None, 0));
    }

    #[test]
    fn a_group_is_idle_when_all_that_was_begun_is_over() {
        let (ownership, groups) = (Arc::new(Ownership::of_all()), [3, 4].map(LaneGroup::numbered));
        let [Some(group), Some(other)] = groups else { panic!("there are more") };
        let begun = [(); 2].map(|()| ownership.begin(group));
        assert!(!ownership.is_idle(group) && ownership.is_idle(other));
        drop(begun);
        assert!(ownership.is_idle(group));
    }

    #[test]
    fn it_is_relied_on_for_as_long_as_it_was_renewed() {
        let ownership = Ownership::of_none();
        assert!(!ownership.is_trusted(Monotonic::from_us(0)));
        ownership.trust_until(Monotonic::from_us(10));
        assert!(ownership.is_trusted(Monotonic::from_us(9)) && !ownership.is_trusted(Monotonic::from_us(10)));
        assert!(Ownership::of_all().is_trusted(LATE) && Ownership::of_all().groups().count() == LANE_GROUPS);
    }
}
