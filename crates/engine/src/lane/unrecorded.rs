//! Outcomes on their way to the disk. They may come there in another order than they were judged in: when the store refuses, a
//! later record can overtake an earlier one. What the last one says of the receiver's health is then not the last that is known.

/// Before which change of the health an outcome was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

#[derive(Debug, Default)]
pub(super) struct Unrecorded {
    count: usize,
    epoch: Epoch,
    /// Of these, how many were judged before the health changed.
    older: usize,
    /// Set until an outcome has told the health that nothing older can overtake.
    tells: bool,
}

impl Unrecorded {
    /// The health is another from here on.
    pub(super) const fn change_health(&mut self) {
        self.epoch = Epoch(self.epoch.0 + 1);
        self.older = self.count;
        self.tells = self.older > 0;
    }

    /// One more outcome is on its way. Whether it is to tell the health, changed or not.
    pub(super) const fn judge(&mut self) -> (Epoch, bool) {
        let tells = self.tells;
        self.tells = self.older > 0;
        self.count += 1;
        (self.epoch, tells)
    }

    /// An outcome is on disk. One that has told the health behind all older ones was the last that was needed.
    pub(super) fn record(&mut self, epoch: Epoch) {
        self.count = self.count.saturating_sub(1);
        if epoch != self.epoch {
            self.older = self.older.saturating_sub(1);
        } else if self.older == 0 {
            self.tells = false;
        }
    }

    /// Nobody asks for the health any more.
    pub(super) const fn forget_health(&mut self) {
        self.tells = false;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the store may have a health that is not the last, and nothing is on its way that tells it.
    pub(super) const fn has_to_tell(&self) -> bool {
        self.tells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_until_nothing_older_can_overtake_it() {
        let mut unrecorded = Unrecorded::default();
        unrecorded.change_health();
        let (old, tells) = unrecorded.judge();
        assert!(!tells, "nothing was on its way");
        unrecorded.change_health();
        let (new, tells) = unrecorded.judge();
        assert!(tells && new != old);
        assert!(unrecorded.judge().1, "the older one may come yet");
        unrecorded.record(new);
        assert!(unrecorded.judge().1);
        unrecorded.record(old);
        assert!(unrecorded.has_to_tell() && unrecorded.judge().1, "the last that is needed");
        assert!(!unrecorded.has_to_tell() && !unrecorded.judge().1);
        (0..4).for_each(|_| unrecorded.record(new));
        assert!(unrecorded.is_empty());
    }

    #[test]
    fn outcomes_that_are_recorded_in_their_order_leave_nothing_to_tell() {
        let mut unrecorded = Unrecorded::default();
        let epochs = [(); 3].map(|()| {
            unrecorded.change_health();
            unrecorded.judge().0
        });
        epochs[..2].iter().for_each(|epoch| unrecorded.record(*epoch));
        assert!(unrecorded.has_to_tell());
        unrecorded.record(epochs[2]);
        assert!(!unrecorded.has_to_tell() && unrecorded.is_empty());
    }
}
