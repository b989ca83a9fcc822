//! What was done to the server and its receivers, and when; and what follows from that for a delivery that came twice, too
//! early, or with a strange timestamp. Pure, so that the judge can be judged.

use super::stopwatch::{Ms, Span};

/// What a process may have done and not recorded when it is killed: a receiver has answered, and the commit that follows is
/// not synced. Counted in time that the process ran; with ten times the work that a machine can do, half a second has been
/// seen, and the report tells the longest of a run.
const UNRECORDED_MS: Ms = 1_000;
/// Outcomes that found no room are tried again with growing pauses; the longest is five seconds.
const RECORDED_AFTER_ROOM_MS: Ms = 5_500;
/// What a killed process had written may be read by a receiver a little after its death.
const LATE_READ_MS: Ms = 250;
/// From a request's first byte to its arrival, and the like.
const NEARBY_MS: Ms = 300;
/// A freeze of this length can have an attempt time out that was answered in time; attempts have two seconds.
const FREEZE_TIMES_OUT_MS: Ms = 1_000;
/// Between signing and arrival, on one machine and beside other work.
const SIGNED_BEFORE_ARRIVAL_MS: i64 = 4_000;
/// Stamps are whole seconds, and two clocks are read one after the other.
const STAMP_AHEAD_MS: i64 = 300;

/// A kill and the launch that followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) killed: Ms,
    pub(super) launched: Ms,
}

/// A time in which the server's clock was ahead by `least_ms` to `most_ms`, which are below zero when it was behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) span: Span,
    pub(super) least_ms: i64,
    pub(super) most_ms: i64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Chronicle {
    pub(super) outages: Vec<Outage>,
    /// The process stood still.
    pub(super) freezes: Vec<Span>,
    /// Nobody listened where webhooks lead that have failing receivers.
    pub(super) gone: Vec<Span>,
    /// Nothing could be written, outcomes neither.
    pub(super) starved: Vec<Span>,
    pub(super) shifts: Vec<Shift>,
    pub(super) counts: Counts,
}

/// What happened how often, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) kills: usize,
    /// Processes that were told to stop and stopped in order.
    pub(super) stops: usize,
    pub(super) freezes: usize,
    pub(super) clock_troubles: usize,
    pub(super) receiver_absences: usize,
    pub(super) full_disks: usize,
    pub(super) refused_starts: usize,
    /// Starts that went well although a file had a wrong mode: the process did not need it.
    pub(super) starts_with_wrong_modes: usize,
}

/// Why a delivery that was answered well may come once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Killed,
    Frozen,
    CutOff,
    /// It follows a failure that followed such a one.
    Retried,
}

impl Chronicle {
    /// Why a delivery that came at the span's begin and was answered at its end may come again although the answer was good;
    /// `None` when nothing explains it. `may_be_gone` says that its receiver is one of those that go.
    pub(super) fn excuse(&self, exchange: Span, may_be_gone: bool) -> Option<Reason> {
        if self.was_unrecorded_at_a_kill(exchange) {
            return Some(Reason::Killed);
        }
        let cut_off = || self.gone.iter().any(|gone| gone.touches(exchange.widened(NEARBY_MS, NEARBY_MS)));
        if may_be_gone && cut_off() {
            return Some(Reason::CutOff);
        }
        let frozen = self.freezes.iter().any(|freeze| {
            freeze.length() >= FREEZE_TIMES_OUT_MS && freeze.touches(exchange.widened(NEARBY_MS, NEARBY_MS))
        });
        frozen.then_some(Reason::Frozen)
    }

    /// Whether the outcome of an exchange may not have been on disk at a kill.
    fn was_unrecorded_at_a_kill(&self, exchange: Span) -> bool {
        self.unrecorded_ms(exchange).is_some_and(|before| before <= UNRECORDED_MS)
    }

    /// How long before a kill an exchange had ended, in time that the process could have used to record it; `None` when it
    /// came after every kill, or when a later process took over before.
    pub(super) fn unrecorded_ms(&self, exchange: Span) -> Option<Ms> {
        let before = |outage: &Outage| {
            let until_killed = Span::new(exchange.to, outage.killed);
            if exchange.to >= outage.killed || self.was_starved_until(until_killed) {
                return 0;
            }
            self.working_ms(until_killed)
        };
        let outages = self.outages.iter();
        let possible = outages.filter(|outage| exchange.from <= outage.launched.saturating_add(LATE_READ_MS));
        possible.map(before).min()
    }

    /// How much of a span a process could work in that was not frozen meanwhile.
    pub(super) fn working_ms(&self, span: Span) -> Ms {
        let still: Ms = self.freezes.iter().map(|freeze| freeze.overlap(span)).sum();
        span.length().saturating_sub(still)
    }

    /// Whether a disk without room lay between an answer and a kill, so that the outcome had to wait for room.
    fn was_starved_until(&self, span: Span) -> bool {
        let starved = |starved: &&Span| starved.touches(Span::new(span.from, span.from + UNRECORDED_MS));
        self.starved.iter().filter(starved).any(|starved| starved.to + RECORDED_AFTER_ROOM_MS >= span.to)
    }

    /// Whether the clock was strange at some time of a span, so that what is due by it may be early or late.
    pub(super) fn clock_was_strange(&self, span: Span) -> bool {
        self.shifts.iter().any(|shift| shift.span.touches(span.widened(NEARBY_MS, NEARBY_MS)))
    }

    /// Whether a delivery that came at `at` may carry a timestamp that differs from true time by `skew_ms`.
    pub(super) fn permits_skew(&self, at: Ms, skew_ms: i64) -> bool {
        let recently = Span::new(at, at).widened(Ms::try_from(SIGNED_BEFORE_ARRIVAL_MS).unwrap_or(0), 0);
        let frozen: Ms =
            self.freezes.iter().filter(|freeze| freeze.touches(recently)).map(|freeze| freeze.length()).sum();
        let oldest = -SIGNED_BEFORE_ARRIVAL_MS - i64::from(frozen);
        let fits = |least: i64, most: i64| (least + oldest..=most + STAMP_AHEAD_MS).contains(&skew_ms);
        let strange = |shift: &Shift| shift.span.touches(recently.widened(frozen, NEARBY_MS));
        // What was signed before a step may arrive as long after it.
        let surely_strange =
            |shift: &Shift| shift.span.from <= recently.from && at <= shift.span.to && frozen == 0;
        self.shifts.iter().filter(|shift| strange(shift)).any(|shift| fits(shift.least_ms, shift.most_ms))
            || (!self.shifts.iter().any(surely_strange) && fits(0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chronicle() -> Chronicle {
        Chronicle { outages: vec![Outage { killed: 10_000, launched: 10_050 }], ..Chronicle::default() }
    }

    #[test]
    fn a_kill_explains_what_was_in_flight_or_just_answered() {
        let excuse = |from, to| chronicle().excuse(Span::new(from, to), true);
        assert_eq!(excuse(9_990, 10_010), Some(Reason::Killed));
        assert_eq!(excuse(9_400, 9_600), Some(Reason::Killed));
        assert_eq!(excuse(10_200, 10_220), Some(Reason::Killed), "written before, read after");
        assert_eq!(excuse(8_900, 8_990), None);
        assert_eq!(excuse(10_400, 10_420), None);
    }

    #[test]
    fn time_that_stood_still_does_not_count() {
        let frozen = Chronicle { freezes: vec![Span::new(6_000, 9_900)], ..chronicle() };
        assert_eq!(frozen.excuse(Span::new(5_100, 5_290), false), Some(Reason::Killed));
        assert_eq!(frozen.excuse(Span::new(4_500, 4_600), false), None);
        assert_eq!(frozen.working_ms(Span::new(5_000, 10_000)), 1_100);
        let thawed = Chronicle { outages: Vec::new(), ..frozen };
        assert_eq!(thawed.excuse(Span::new(5_800, 5_810), false), Some(Reason::Frozen));
        let short = Chronicle { freezes: vec![Span::new(6_000, 6_200)], ..Chronicle::default() };
        assert_eq!(short.excuse(Span::new(5_990, 6_000), false), None);
    }

    #[test]
    fn outcomes_wait_for_a_full_disk_and_receivers_may_be_cut_off() {
        let starved = Chronicle { starved: vec![Span::new(7_000, 9_800)], ..chronicle() };
        assert_eq!(starved.excuse(Span::new(7_500, 7_510), false), Some(Reason::Killed));
        assert_eq!(starved.excuse(Span::new(5_500, 5_600), false), None);
        let gone = Chronicle { gone: vec![Span::new(2_000, 3_000)], ..Chronicle::default() };
        assert_eq!(gone.excuse(Span::new(1_990, 2_005), true), Some(Reason::CutOff));
        assert_eq!(gone.excuse(Span::new(1_990, 2_005), false), None, "this receiver never goes");
    }

    #[test]
    fn stamps_follow_the_clock_that_was_in_force() {
        let shifts = vec![Shift { span: Span::new(50_000, 56_000), least_ms: 20_000, most_ms: 20_000 }];
        let stepped = Chronicle { shifts, ..Chronicle::default() };
        assert!(stepped.permits_skew(40_000, -500) && !stepped.permits_skew(40_000, 19_500));
        assert!(stepped.permits_skew(55_000, 19_400) && !stepped.permits_skew(55_000, -400));
        assert!(stepped.permits_skew(52_000, -400) && stepped.permits_skew(50_300, 19_400));
        assert!(!stepped.permits_skew(40_000, -60_000), "an old timestamp");
        assert!(!stepped.permits_skew(40_000, 1_500), "a timestamp of the future");
        assert!(stepped.clock_was_strange(Span::new(52_000, 60_000)));
        let frozen = Chronicle { freezes: vec![Span::new(1_000, 9_000)], ..Chronicle::default() };
        assert!(frozen.permits_skew(9_050, -8_500) && !frozen.permits_skew(20_000, -8_500));
    }
}
