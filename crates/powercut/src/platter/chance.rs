//! What chance decides: how a power loss deals with changes that were not safe.

use signalpost_testkit::Rng;

/// How much of what was not safe is left, drawn once for a power loss.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    Nothing,
    Everything,
    /// What came first, up to some place in each file and among the names.
    InOrder,
    /// Each by itself, so many of ten.
    Scattered(u64),
    /// Every sector by itself.
    Shredded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Whole,
    Torn,
    Lost,
}

impl Mood {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.below(12) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2..=5 => Self::InOrder,
            6..=9 => Self::Scattered(rng.below(9) + 1),
            _ => Self::Shredded,
        }
    }

    /// What becomes of so many changes, in their order.
    pub(super) fn fates(self, count: usize, rng: &mut Rng) -> Vec<Fate> {
        let end = match self {
            Self::InOrder => usize::try_from(rng.below(count as u64 + 1)).unwrap_or(count),
            _ => 0,
        };
        let mut fate = |place| match self {
            Self::Nothing => Fate::Lost,
            Self::Everything => Fate::Whole,
            Self::InOrder if place < end => Fate::Whole,
            Self::InOrder if place == end => Fate::Torn,
            Self::InOrder => Fate::Lost,
            Self::Scattered(odds) if rng.below(10) >= odds => Fate::Lost,
            Self::Scattered(_) if rng.below(4) == 0 => Fate::Torn,
            Self::Scattered(_) => Fate::Whole,
            Self::Shredded => Fate::Torn,
        };
        (0..count).map(&mut fate).collect()
    }
}
