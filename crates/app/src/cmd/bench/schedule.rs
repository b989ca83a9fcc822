//! The fixed timetable of an open loop: when each event is due, whatever became of those before it.

use super::clock::NS_PER_S;

/// Events at a steady rate. Latency counts from the moment an event was due, so that a generator which had to wait for
/// a slow answer does not leave that wait out (coordinated omission).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timetable {
    pub(super) start_ns: u64,
    pub(super) events_per_s: f64,
    pub(super) events: u64,
}

impl Timetable {
    /// As many events as the rate gives in a time, and at least one.
    pub(super) fn new(start_ns: u64, events_per_s: f64, seconds: f64) -> Self {
        Self { start_ns, events_per_s, events: ((events_per_s * seconds).round() as u64).max(1) }
    }

    /// When an event is due; the first one has the position 0.
    pub(super) fn due_ns(&self, position: u64) -> u64 {
        self.start_ns + (position as f64 * NS_PER_S as f64 / self.events_per_s).round() as u64
    }

    /// How many events are due at a moment.
    pub(super) fn due_by(&self, now_ns: u64) -> u64 {
        if now_ns < self.start_ns {
            return 0;
        }
        let since_s = (now_ns - self.start_ns) as f64 / NS_PER_S as f64;
        // An estimate that rounding can miss by one either way; the timetable itself decides.
        let estimate = (since_s * self.events_per_s) as u64;
        let due =
            (estimate.saturating_sub(1)..=estimate + 1).rfind(|position| self.due_ns(*position) <= now_ns);
        due.map_or(0, |last| last + 1).min(self.events)
    }

    pub(super) fn end_ns(&self) -> u64 {
        self.due_ns(self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_due_at_equal_distances() {
        let table = Timetable::new(1_000, 4.0, 2.5);
        assert_eq!(table.events, 10);
        assert_eq!(table.due_ns(0), 1_000);
        assert_eq!(table.due_ns(3), 1_000 + 750_000_000);
        assert_eq!(table.end_ns(), 1_000 + 2_500_000_000);
        assert_eq!(Timetable::new(0, 0.1, 1.0).events, 1, "at least one");
    }

    #[test]
    fn what_is_due_agrees_with_when_it_is_due() {
        for rate in [0.7, 3.0, 999.9, 21_345.6] {
            let table = Timetable::new(77, rate, 10.0);
            assert_eq!(table.due_by(0), 0);
            assert_eq!(table.due_by(76), 0);
            for position in (0..table.events).step_by(7) {
                let due_ns = table.due_ns(position);
                assert_eq!(table.due_by(due_ns), position + 1, "{rate} {position}");
                assert_eq!(table.due_by(due_ns - 1), position, "{rate} {position}");
            }
            assert_eq!(table.due_by(u64::MAX / 2), table.events, "never more than there are");
        }
    }
}
