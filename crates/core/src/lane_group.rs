//! Lane groups: webhooks by the part of them that changes owners together when several nodes share a store.

use crate::id::WebhookId;
use crate::limits::LANE_GROUPS;

/// A large odd number: what is multiplied by it differs in its upper bits whenever it differed at all.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// One of [`LANE_GROUPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneGroup(u8);

impl LaneGroup {
    /// The group of a webhook, the same on every node and for ever: it is by this that nodes agree whose a webhook is.
    pub const fn of(webhook: WebhookId) -> Self {
        let mixed = webhook.raw().cast_unsigned().wrapping_mul(SPREAD);
        // The uppermost bits, for the delivery cores of a node divide its webhooks by lower ones.
        let number = mixed >> (u64::BITS - LANE_GROUPS.trailing_zeros());
        Self(number.to_le_bytes()[0])
    }

    /// `None` when there are not so many.
    pub fn numbered(number: usize) -> Option<Self> {
        u8::try_from(number).ok().filter(|_| number < LANE_GROUPS).map(Self)
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (0..LANE_GROUPS).filter_map(Self::numbered)
    }

    /// Below [`LANE_GROUPS`].
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// How often a lane group has changed hands. What was begun under one epoch is not written under another: whoever had the
/// group before may not know yet that it is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupEpoch(u64);

impl GroupEpoch {
    /// Of a group that never changes hands.
    pub const ONLY: Self = Self(1);

    /// `None` for zero, which no epoch has.
    pub const fn numbered(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    pub const fn number(self) -> u64 {
        self.0
    }
}

const _: () = assert!(LANE_GROUPS.is_power_of_two() && LANE_GROUPS <= 256);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_made_one_after_the_other_spread_over_all_groups() {
        let first = 7_530_397_039_415_264_051;
        let mut webhooks = [0; LANE_GROUPS];
        for raw in first..first + 6_400 {
            webhooks[LaneGroup::of(WebhookId::from_raw(raw)).number()] += 1;
        }
        assert!(webhooks.iter().all(|count| (80..=120).contains(count)), "{webhooks:?}");
    }

    #[test]
    fn a_webhook_stays_in_its_group() {
        let group = |raw| LaneGroup::of(WebhookId::from_raw(raw)).number();
        assert_eq!([0, 1, 2, 7_530_397_039_415_264_051].map(group), [0, 39, 15, 58]);
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        assert_eq!(LaneGroup::all().count(), LANE_GROUPS);
        assert_eq!(LaneGroup::numbered(LANE_GROUPS), None);
        assert_eq!(GroupEpoch::numbered(0), None);
    }
}
