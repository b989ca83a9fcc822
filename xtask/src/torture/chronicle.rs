//! What was done to a server and its receivers, and when; and what follows from that for a delivery that came twice, too
//! early, or with a strange timestamp. Pure, so that the judge can be judged.

use super::stopwatch::{Ms, Span};

/// What a process may have done and not recorded when it is killed: a receiver has answered, and the commit that follows is
/// not synced. An answer is recorded within a commit: the longest of some thousand duplicates was 66 ms on two processors, and
/// 193 ms when four times their work ran beside it; this is half as much again. Counted in time that the process and this
/// program ran; the report tells the longest of a run.
const UNRECORDED_MS: Ms = 300;
/// Outcomes that a store refused are tried again after pauses; the longest is 200 ms, and the commit follows.
const RECORDED_AFTER_ROOM_MS: Ms = 200 + UNRECORDED_MS;
/// What a killed process had written may be read by a receiver a little after its death: hundreds of connections at once wait
/// for two processors, together with the first ones of the next process. Beyond this as long as a receiver was seen to be late.
const LATE_READ_MS: Ms = 200;
/// What had begun may arrive this much later, in time that the server and this program were able to work.
pub(super) const UNDER_WAY_MS: Ms = 500;
/// From a request's first byte to its arrival, and the like.
const NEARBY_MS: Ms = 300;
/// A freeze of this length can have an attempt time out that was answered in time; attempts have two seconds.
const FREEZE_TIMES_OUT_MS: Ms = 1_000;
/// What a process that stands still this long had may be another's: a lease lives ten seconds from its last renewal, which may
/// have been two before, and as long again on a machine with much to do.
pub(super) const LEASE_LOST_MS: Ms = 6_000;
/// From the signature to the arrival, as [`UNDER_WAY_MS`], and stamps are whole seconds that have begun.
const SIGNED_BEFORE_ARRIVAL_MS: Ms = UNDER_WAY_MS + 1_000;
/// Two clocks are read one after the other.
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
    /// This program stood still, and read late what had come: in order, and apart from each other.
    pub(super) stalls: Vec<Span>,
    /// The disk below the data's took long to sync: in order, and apart from each other.
    pub(super) slow_syncs: Vec<Span>,
    /// Nobody listened where webhooks lead that have failing receivers.
    pub(super) gone: Vec<Span>,
    /// Nothing could be written, outcomes neither.
    pub(super) starved: Vec<Span>,
    pub(super) shifts: Vec<Shift>,
    pub(super) counts: Counts,
}

/// How a process ended that was to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Killed,
    /// By itself, because it had been told to stop: nothing was in flight any more.
    InOrder,
}

/// What happened how often, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) kills: usize,
    /// Processes that were told to stop and stopped in order.
    pub(super) stops: usize,
    pub(super) freezes: usize,
    pub(super) clock_troubles: usize,
    /// Of them, those in which the server has said that its clock is wrong.
    pub(super) clocks_noticed: usize,
    pub(super) receiver_absences: usize,
    pub(super) full_disks: usize,
    pub(super) database_absences: usize,
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

impl Counts {
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            stops: self.stops + other.stops,
            freezes: self.freezes + other.freezes,
            clock_troubles: self.clock_troubles + other.clock_troubles,
            clocks_noticed: self.clocks_noticed + other.clocks_noticed,
            receiver_absences: self.receiver_absences + other.receiver_absences,
            full_disks: self.full_disks + other.full_disks,
            database_absences: self.database_absences + other.database_absences,
            refused_starts: self.refused_starts + other.refused_starts,
            starts_with_wrong_modes: self.starts_with_wrong_modes + other.starts_with_wrong_modes,
        }
    }
}

impl Chronicle {
    /// Writes down an end. Only a kill explains that something comes twice.
    pub(super) fn note_end(&mut self, at: Ms, end: End) {
        match end {
            End::Killed => {
                self.counts.kills += 1;
                self.outages.push(Outage { killed: at, launched: Ms::MAX });
            }
            End::InOrder => self.counts.stops += 1,
        }
    }

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
        (self.timeouts_within(exchange.widened(NEARBY_MS, NEARBY_MS)) > 0).then_some(Reason::Frozen)
    }

    /// Standstills that can have had an attempt time out, each one of a delivery, and that touch a span.
    fn timeouts_within(&self, span: Span) -> usize {
        self.frozen_within(span) + self.stalled_within(span)
    }

    /// Those of the process.
    pub(super) fn frozen_within(&self, span: Span) -> usize {
        self.freezes.iter().filter(|still| times_out(still) && still.touches(span)).count()
    }

    /// Those of this program.
    pub(super) fn stalled_within(&self, span: Span) -> usize {
        self.stalls_near(span).iter().filter(|still| times_out(still)).count()
    }

    /// Whether something that came at a moment can be from this process: it was there, and did not stand still.
    pub(super) fn can_have_sent(&self, at: Ms) -> bool {
        let late_ms = LATE_READ_MS + self.stalled_ms(at);
        let before = self.outages.partition_point(|outage| outage.killed < at).checked_sub(1);
        let down = before.and_then(|last| self.outages.get(last));
        let down = down.map(|outage| Span::new(outage.killed, outage.launched));
        let mut away = self.freezes.iter().copied().chain(down);
        !away.any(|away| away.from + late_ms < at && at < away.to)
    }

    /// Whether the process stood still beyond its lease, while something came, and what came again is what it had begun
    /// before: it goes out when the process goes on.
    pub(super) fn sent_late(&self, came: Ms, again: Ms) -> bool {
        self.freezes.iter().filter(|freeze| freeze.length() >= LEASE_LOST_MS).any(|freeze| {
            let after = Span::new(freeze.to, freeze.to).widened(0, NEARBY_MS + self.stalled_ms(again));
            freeze.touches(Span::new(came, came)) && after.touches(Span::new(again, again))
        })
    }

    /// Whether the outcome of an exchange may not have been on disk at a kill.
    fn was_unrecorded_at_a_kill(&self, exchange: Span) -> bool {
        self.unrecorded_ms(exchange).is_some_and(|before| before <= UNRECORDED_MS)
    }

    /// How long before a kill an exchange had ended, in time that the process could have used to record it; `None` when it
    /// came after every kill.
    pub(super) fn unrecorded_ms(&self, exchange: Span) -> Option<Ms> {
        let late_ms = LATE_READ_MS + self.stalled_ms(exchange.from);
        // The next kill alone: with that process the outcome was gone, or on disk.
        let next = self.outages.partition_point(|outage| outage.killed + late_ms < exchange.from);
        self.outages.get(next).map(|outage| self.unrecorded_until(exchange, outage.killed))
    }

    pub(super) fn since_kill_ms(&self, at: Ms) -> Option<Ms> {
        let before = self.outages.partition_point(|outage| outage.killed <= at).checked_sub(1)?;
        Some(at - self.outages.get(before)?.killed)
    }

    /// Whether the outcome of an exchange may not have been on disk at a moment.
    pub(super) fn may_be_unrecorded_at(&self, exchange: Span, moment: Ms) -> bool {
        self.unrecorded_until(exchange, moment) <= UNRECORDED_MS
    }

    /// The time from an answer to a later moment that a process could have used to record it.
    fn unrecorded_until(&self, exchange: Span, moment: Ms) -> Ms {
        let until = Span::new(exchange.to, moment);
        if exchange.to >= moment || self.was_starved_until(until) {
            return 0;
        }
        let still = self.freezes.iter().chain(self.stalls_near(until)).chain(near(&self.slow_syncs, until));
        until.length().saturating_sub(covered_ms(until, still.copied()))
    }

    /// How much of a span a process could work in that was not frozen meanwhile, on a machine that had time for it.
    pub(super) fn working_ms(&self, span: Span) -> Ms {
        let still = self.freezes.iter().chain(self.stalls_near(span));
        span.length().saturating_sub(covered_ms(span, still.copied()))
    }

    /// How much of a span no process was there, or it stood still.
    pub(super) fn idle_ms(&self, span: Span) -> Ms {
        let down = self.outages.iter().map(|outage| Span::new(outage.killed, outage.launched));
        covered_ms(
            span,
            down.chain(self.freezes.iter().copied()).chain(self.stalls_near(span).iter().copied()),
        )
    }

    /// Time by which something that was due in a span may have come later, because the clock was set back in it: what was
    /// put off while it was ahead.
    pub(super) fn put_off_ms(&self, span: Span) -> Ms {
        let ahead = self.shifts.iter().filter(|shift| shift.span.touches(span)).map(|shift| shift.most_ms);
        ahead.map(|ahead_ms| Ms::try_from(ahead_ms.max(0)).unwrap_or(Ms::MAX)).fold(0, Ms::saturating_add)
    }

    /// How late a clock may have been read at a moment.
    pub(super) fn stalled_ms(&self, at: Ms) -> Ms {
        let shortly = Span::new(at, at).widened(NEARBY_MS, 0);
        self.longest_stall_ms(shortly)
    }

    fn longest_stall_ms(&self, span: Span) -> Ms {
        self.stalls_near(span).iter().map(|stall| stall.length()).max().unwrap_or_default()
    }

    /// The standstills of this program that touch a span.
    fn stalls_near(&self, span: Span) -> &[Span] {
        near(&self.stalls, span)
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
        let recently = Span::new(at, at).widened(SIGNED_BEFORE_ARRIVAL_MS, 0);
        let freezes = self.freezes.iter().filter(|freeze| freeze.touches(recently));
        let frozen = freezes.map(|freeze| freeze.length()).sum::<Ms>() + self.longest_stall_ms(recently);
        let oldest = -i64::from(SIGNED_BEFORE_ARRIVAL_MS + frozen);
        let fits = |least: i64, most: i64| (least + oldest..=most + STAMP_AHEAD_MS).contains(&skew_ms);
        let strange = |shift: &Shift| shift.span.touches(recently.widened(frozen, NEARBY_MS));
        // What was signed before a step may arrive as long after it.
        let surely_strange = |shift: &Shift| shift.span.from + frozen <= recently.from && at <= shift.span.to;
        self.shifts.iter().filter(|shift| strange(shift)).any(|shift| fits(shift.least_ms, shift.most_ms))
            || (!self.shifts.iter().any(surely_strange) && fits(0, 0))
    }
}

const fn times_out(still: &Span) -> bool {
    still.length() >= FREEZE_TIMES_OUT_MS
}

/// Those of many, which are in order and apart from each other, that touch a span.
fn near(many: &[Span], span: Span) -> &[Span] {
    let from = many.partition_point(|one| one.to < span.from);
    let to = many.partition_point(|one| one.from <= span.to);
    many.get(from..to).unwrap_or_default()
}

/// How much of a span others cover together.
fn covered_ms(span: Span, others: impl Iterator<Item = Span>) -> Ms {
    let mut within: Vec<Span> = others.filter(|other| other.overlap(span) > 0).collect();
    within.sort_unstable_by_key(|other| other.from);
    let (mut covered, mut reached) = (0, span.from);
    for other in within {
        covered += other.overlap(Span::new(reached.max(span.from), span.to));
        reached = reached.max(other.to);
    }
    covered
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
        assert_eq!(excuse(9_700, 9_800), Some(Reason::Killed));
        assert_eq!(excuse(10_190, 10_220), Some(Reason::Killed), "written before, read after");
        assert_eq!(excuse(9_600, 9_690), None, "there was time to record it");
        assert_eq!(excuse(10_210, 10_220), None, "that was the next process");
    }

    #[test]
    fn what_a_slow_disk_kept_back_was_not_recorded() {
        let slow = Chronicle { slow_syncs: vec![Span::new(9_500, 9_900)], ..chronicle() };
        assert_eq!(slow.excuse(Span::new(9_400, 9_450), false), Some(Reason::Killed), "150 ms are left");
        assert_eq!(slow.excuse(Span::new(9_200, 9_290), false), None);
        assert_eq!(slow.working_ms(Span::new(9_500, 9_900)), 400, "it kept nothing else back");
    }

    #[test]
    fn the_next_kill_alone_explains() {
        let outages = [10_000, 10_300].map(|killed| Outage { killed, launched: killed + 20 });
        let twice = Chronicle { outages: outages.to_vec(), ..Chronicle::default() };
        assert_eq!(twice.unrecorded_ms(Span::new(9_700, 9_750)), Some(250));
        assert_eq!(twice.unrecorded_ms(Span::new(10_210, 10_220)), Some(80));
        assert_eq!(twice.unrecorded_ms(Span::new(10_510, 10_520)), None);
    }

    #[test]
    fn what_this_program_slept_through_is_allowed_for_and_no_more() {
        let stalled = Chronicle { stalls: vec![Span::new(9_650, 9_850)], ..chronicle() };
        assert_eq!(stalled.excuse(Span::new(9_490, 9_500), false), Some(Reason::Killed));
        assert_eq!(stalled.excuse(Span::new(9_480, 9_490), false), None);
        let late = Chronicle { stalls: vec![Span::new(10_010, 10_160)], ..chronicle() };
        assert_eq!(late.excuse(Span::new(10_350, 10_360), false), Some(Reason::Killed), "read late");
        assert_eq!(late.excuse(Span::new(10_360, 10_370), false), None);
        let both = Chronicle { freezes: vec![Span::new(9_600, 9_800)], ..stalled.clone() };
        assert_eq!(both.working_ms(Span::new(9_500, 10_000)), 250, "they overlap, and count once");
        assert!(!stalled.permits_skew(9_900, -1_800) && stalled.permits_skew(9_900, -1_700));
        assert!(!stalled.permits_skew(20_000, -1_600) && stalled.permits_skew(20_000, -1_500));
    }

    #[test]
    fn time_that_stood_still_does_not_count() {
        let frozen = Chronicle { freezes: vec![Span::new(6_000, 9_900)], ..chronicle() };
        assert_eq!(frozen.excuse(Span::new(5_880, 5_900), false), Some(Reason::Killed));
        assert_eq!(frozen.excuse(Span::new(5_590, 5_600), false), None);
        assert_eq!(frozen.working_ms(Span::new(5_000, 10_000)), 1_100);
        let thawed = Chronicle { outages: Vec::new(), ..frozen };
        assert_eq!(thawed.excuse(Span::new(5_800, 5_810), false), Some(Reason::Frozen));
        let short = Chronicle { freezes: vec![Span::new(6_000, 6_200)], ..Chronicle::default() };
        assert_eq!(short.excuse(Span::new(5_990, 6_000), false), None);
    }

    #[test]
    fn outcomes_wait_for_a_full_disk_and_receivers_may_be_cut_off() {
        let starved = Chronicle { starved: vec![Span::new(7_000, 9_800)], ..chronicle() };
        assert_eq!(starved.excuse(Span::new(6_600, 6_690), false), None, "there was room, and time");
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
        assert!(stepped.permits_skew(51_000, -400) && !stepped.permits_skew(52_000, -400));
        assert!(stepped.permits_skew(50_300, 19_400));
        assert!(!stepped.permits_skew(40_000, -60_000), "an old timestamp");
        assert!(!stepped.permits_skew(40_000, 1_500), "a timestamp of the future");
        assert!(stepped.clock_was_strange(Span::new(52_000, 60_000)));
        let frozen = Chronicle { freezes: vec![Span::new(1_000, 9_000)], ..Chronicle::default() };
        assert!(frozen.permits_skew(9_050, -8_500) && !frozen.permits_skew(20_000, -8_500));
    }
}
