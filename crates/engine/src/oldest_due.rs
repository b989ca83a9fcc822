//! How far behind deliveries are, by lane group.
//!
//! Who looks for all that is owed sees it without asking for anything else: it is known for every group, whoever has it, and
//! costs nothing with any number of webhooks. So it is as old as that look.

use std::sync::{Mutex, PoisonError};

use signalpost_core::lane_group::LaneGroup;
use signalpost_core::limits::LANE_GROUPS;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::DueLane;

/// Ages of the oldest deliveries that are due, in milliseconds; zero where none is.
type Ages = [u64; LANE_GROUPS];

/// As the last look at all that is owed has found it.
#[derive(Debug, Default)]
pub struct OldestDue(Mutex<Option<Ages>>);

impl OldestDue {
    /// The age of the oldest delivery of a group that is due, in milliseconds; zero when none is, `None` before the first look.
    pub fn ms(&self, group: LaneGroup) -> Option<u64> {
        let ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ages.as_ref().map(|ages| ages[group.number()])
    }

    /// The same of all groups.
    pub fn worst_ms(&self) -> Option<u64> {
        let ages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ages.as_ref().and_then(|ages| ages.iter().max().copied())
    }

    pub(crate) fn saw(&self, look: Look) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(look.ages);
    }
}

/// A look at all that is owed, page by page.
pub(crate) struct Look {
    began: Timestamp,
    ages: Ages,
}

impl Look {
    pub(crate) const fn begin(now: Timestamp) -> Self {
        Self { began: now, ages: [0; LANE_GROUPS] }
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
        assert_eq!([1, 2, 3].map(|webhook| oldest.ms(group(webhook))), [Some(600), Some(0), Some(0)]);
        oldest.saw(Look::begin(Timestamp::from_ms(2_000)));
        assert_eq!(oldest.ms(group(1)), Some(0));
    }
}
