//! One clock for everything that a run writes down: milliseconds since it began, whatever the wall clock does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the run began; enough for seven weeks, in half the room of an `Instant`.
pub(super) type Ms = u32;

#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    zero: Instant,
    /// The wall clock at that moment, in milliseconds since 1970.
    wall_zero_ms: i64,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_zero_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Self { zero: Instant::now(), wall_zero_ms }
    }

    pub(super) fn now(&self) -> Ms {
        self.at(Instant::now())
    }

    pub(super) fn at(&self, moment: Instant) -> Ms {
        Ms::try_from(moment.saturating_duration_since(self.zero).as_millis()).unwrap_or(Ms::MAX)
    }

    /// True time at a moment of the run, in milliseconds since 1970.
    pub(super) fn wall_ms(&self, at: Ms) -> i64 {
        self.wall_zero_ms.saturating_add(i64::from(at))
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.zero.elapsed()
    }
}

/// A part of the run, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Ms,
    pub(super) to: Ms,
}

impl Span {
    pub(super) const fn new(from: Ms, to: Ms) -> Self {
        Self { from, to }
    }

    pub(super) const fn length(self) -> Ms {
        self.to.saturating_sub(self.from)
    }

    pub(super) const fn touches(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// How long both are under way.
    pub(super) fn overlap(self, other: Self) -> Ms {
        self.to.min(other.to).saturating_sub(self.from.max(other.from))
    }

    /// The same with so much before and after.
    pub(super) const fn widened(self, before: Ms, after: Ms) -> Self {
        Self { from: self.from.saturating_sub(before), to: self.to.saturating_add(after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_touch_and_overlap() {
        let span = Span::new(100, 200);
        assert!(span.touches(Span::new(200, 300)) && !span.touches(Span::new(201, 300)));
        assert_eq!(span.overlap(Span::new(150, 500)), 50);
        assert_eq!(span.overlap(Span::new(300, 500)), 0);
        assert_eq!(span.widened(150, 1), Span::new(0, 201));
    }
}
