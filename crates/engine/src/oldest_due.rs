//! How far behind deliveries are, by lane group.
//!
//! Who looks for all that is owed sees it without asking for anything else: it is known for every group, whoever has it, and
//! costs nothing with any number of webhooks. So it is as old as that look.

use std::sync::{Mutex, MutexGuard, PoisonError};

use signalpost_core::lane_group::LaneGroup;
use signalpost_core::limits::{LANE_GROUPS, RECONCILE_INTERVAL_MAX};
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::DueLane;

/// Ages of the oldest deliveries that are due, in milliseconds; zero where none is.
type Ages = [u64; LANE_GROUPS];

/// As the last look at all that is owed has found it.
#[derive(Debug, Default)]
pub struct OldestDue(Mutex<Option<Look>>);

impl OldestDue {
    /// The age of the oldest delivery of a group that is due, in milliseconds; zero when none is, `None` before the first look.
    pub fn ms(&self, group: LaneGroup) -> Option<u64> {
        self.last().as_ref().map(|look| look.ages[group.number()])
    }

    /// The same of all groups.
    pub fn worst_ms(&self) -> Option<u64> {
        self.last().as_ref().map(Look::worst_ms)
    }

    /// The same, as long as another look need not have come: none does while the store cannot be read.
    pub(crate) fn recent_worst_ms(&self, now: Timestamp) -> Option<u64> {
        // The rest after a look, and as long again for the next one itself.
        let longest_ms = 2 * i64::try_from(RECONCILE_INTERVAL_MAX.as_millis()).expect("minutes");
        let is_recent = |look: &&Look| now.ms_since(look.began) <= longest_ms;
        self.last().as_ref().filter(is_recent).map(Look::worst_ms)
    }

    pub(crate) fn saw(&self, look: Look) {
        *self.last() = Some(look);
    }

    fn last(&self) -> MutexGuard<'_, Option<Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look at all that is owed, page by page.
#[derive(Debug)]
pub(crate) struct Look {
    began: Timestamp,
    ages: Ages,
}

impl Look {
    pub(crate) const fn begin(now: Timestamp) -> Self {
        Self { began: now, ages: [0; LANE_GROUPS] }
    }

    fn worst_ms(&self) -> u64 {
        self.ages.iter().max().copied().unwrap_or(0)
    }

    pub(crate) fn see(&mut self, lanes: &[DueLane]) {
        for lane in lanes.iter().filter(|lane| lane.first_due_at < self.began) {
            let age = u64::try_from(self.began.ms_since(lane.first_due_at)).unwrap_or(0);
            let oldest = &mut self.ages[LaneGroup::of(lane.webhook).number()];
            *oldest = age.max(*oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use signalpost_core::id::WebhookId;

    use super::*;

    fn lane(webhook: i64, due_at_ms: i64) -> DueLane {
        DueLane { webhook: WebhookId::from_raw(webhook), first_due_at: Timestamp::from_ms(due_at_ms) }
    }

    #[test]
    fn the_oldest_of_each_group_counts_and_nothing_that_is_not_due() {
        let (oldest, mut look) = (OldestDue::default(), Look::begin(Timestamp::from_ms(1_000)));
        let group = |webhook| LaneGroup::of(WebhookId::from_raw(webhook));
        assert_eq!((oldest.ms(group(1)), oldest.worst_ms()), (None, None));
        let same =
            (2..).find(|webhook| group(*webhook) == group(1)).expect("there are more webhooks than groups");
        look.see(&[lane(1, 900), lane(2, 1_500)]);
        look.see(&[lane(same, 400), lane(3, 1_000)]);
        oldest.saw(look);
        assert_eq!(oldest.worst_ms(), Some(600));
        let recent = |at_s: i64| oldest.recent_worst_ms(Timestamp::from_ms(1_000 + at_s * 1_000));
        assert_eq!([0, 600, 601].map(recent), [Some(600), Some(600), None], "old knowledge is no news");
        assert_eq!([1, 2, 3].map(|webhook| oldest.ms(group(webhook))), [Some(600), Some(0), Some(0)]);
        oldest.saw(Look::begin(Timestamp::from_ms(2_000)));
        assert_eq!(oldest.ms(group(1)), Some(0));
    }
}
