//! What a run came to, for a person and for a program. The last line says what was lost.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::chronicle::{Counts, Reason};
use super::judge::{Judgement, Violation};
use super::stopwatch::Ms;

/// At least one part in so many of what was taken must be without any excuse, or the run shows little. It was three in five,
/// with a kill every second or two.
const JUDGED_PARTS: usize = 3;

#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(super) seed: u64,
    pub(super) minutes: f64,
    pub(super) counts: Counts,
    /// One figure for each server.
    pub(super) kills_by_node: Vec<usize>,
    /// How often a group of webhooks was taken over, where servers have such.
    pub(super) hand_overs: Option<u64>,
    /// Standstills of this program, the longest, and all together.
    pub(super) stalls: usize,
    pub(super) stall_ms_max: Ms,
    pub(super) stall_ms_sum: Ms,
    /// Syncs of the disk below the data's that took long, and the longest.
    pub(super) slow_syncs: usize,
    pub(super) slow_sync_ms_max: Ms,
    pub(super) acknowledged: usize,
    pub(super) repeated_calls: u64,
    pub(super) replayed_calls: u64,
    pub(super) refused_calls: u64,
    /// Creations, deletions and switches of webhooks while events came.
    pub(super) changes: usize,
    pub(super) judgement: Judgement,
    /// The findings with how to look at each.
    pub(super) named: Vec<String>,
    /// Faults beside deliveries.
    pub(super) faults: usize,
    pub(super) first_fault: Option<String>,
    /// What this machine did not let us do.
    pub(crate) skipped: Vec<String>,
    pub(super) machine: String,
}

impl Report {
    /// The error names every promise that was broken.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let mut broken: Vec<String> = Vec::new();
        if self.acknowledged == 0 {
            broken.push("nothing was acknowledged, so nothing was tested".to_owned());
        }
        for (violation, count) in &self.judgement.violations {
            broken.push(format!("{count} {}", violation.words()));
        }
        let (taken, excused) = (self.judgement.taken, self.duplicates_max());
        if (taken - excused) * JUDGED_PARTS < taken {
            broken.push(format!("too little was judged: {excused} of {taken} that were taken had an excuse"));
        }
        if self.acknowledged > 0 && self.judgement.in_order == 0 {
            broken.push("no order was judged".to_owned());
        }
        if let Some(first) = &self.first_fault {
            broken.push(format!("{} faults, the first: {first}", self.faults));
        }
        let was_seen = self.judgement.strangely_stamped + self.counts.clocks_noticed > 0;
        if self.counts.clock_troubles > 0 && !was_seen {
            broken.push("the clock was bent, and no delivery's timestamp and no log shows it".to_owned());
        }
        if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
    }

    /// Exactly this, at the very end: `lost 0`.
    pub(crate) fn last_line(&self) -> String {
        format!("lost {}", self.judgement.lost)
    }

    pub(super) fn unexplained(&self) -> usize {
        self.judgement.violations.get(&Violation::Unexplained).copied().unwrap_or_default()
    }

    /// What was in flight, or answered and not surely recorded, when something happened that explains a duplicate: each may
    /// come once more.
    pub(super) fn duplicates_max(&self) -> usize {
        self.judgement.excused.values().sum()
    }

    pub(super) fn to_json(&self) -> Value {
        let judgement = &self.judgement;
        let violations: serde_json::Map<String, Value> = judgement
            .violations
            .iter()
            .map(|(violation, count)| (violation.words().replace(' ', "_"), json!(count)))
            .collect();
        let mut told = json!({
            "seed": self.seed,
            "minutes": self.minutes,
            "machine": self.machine,
            "kills": self.counts.kills,
            "stops": self.counts.stops,
            "freezes": self.counts.freezes,
            "clock_troubles": self.counts.clock_troubles,
            "receiver_absences": self.counts.receiver_absences,
            "full_disks": self.counts.full_disks,
            "refused_starts": self.counts.refused_starts,
            "starts_with_wrong_modes": self.counts.starts_with_wrong_modes,
            "acknowledged": self.acknowledged,
            "owed": judgement.owed,
            "delivered": judgement.delivered,
            "failed": judgement.failed,
            "dropped": judgement.dropped,
            "pending": judgement.pending,
            "lost": judgement.lost,
            "duplicated": judgement.duplicated,
            "duplicates_max": self.duplicates_max(),
            "duplicated_unexplained": self.unexplained(),
            "taken": judgement.taken,
            "unrecorded_ms_max": judgement.unrecorded_ms_max,
            "arrivals": judgement.arrivals,
            "repeated_calls": self.repeated_calls,
            "replayed_calls": self.replayed_calls,
            "refused_calls": self.refused_calls,
            "stored_unanswered": judgement.stored_unanswered,
            "webhook_changes": self.changes,
            "stalls": self.stalls,
            "stall_ms_max": self.stall_ms_max,
            "stall_ms_sum": self.stall_ms_sum,
            "slow_syncs": self.slow_syncs,
            "slow_sync_ms_max": self.slow_sync_ms_max,
            "stamp_age_ms_max": judgement.stamp_age_ms_max,
            "strangely_stamped": judgement.strangely_stamped,
            "unverified": judgement.unverified,
            "violations": violations,
            "named": self.named,
            "faults": self.faults,
            "skipped": self.skipped,
        });
        told["in_order"] = json!(judgement.in_order);
        told["kills_by_node"] = json!(self.kills_by_node);
        told["hand_overs"] = json!(self.hand_overs);
        told["clocks_noticed"] = json!(self.counts.clocks_noticed);
        told["database_absences"] = json!(self.counts.database_absences);
        told
    }
}

fn counted(reasons: &BTreeMap<Reason, usize>) -> String {
    let each = |(reason, count)| format!("{count} {}", format!("{reason:?}").to_lowercase());
    reasons.iter().map(each).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counts, judgement, .. } = self;
        writeln!(f, "seed          {}", self.seed)?;
        writeln!(f, "machine       {}", self.machine)?;
        writeln!(
            f,
            "troubles      {} kills, {} stops, {} freezes, {} bent clocks, {} absences of receivers, {} full disks,\n\
             \x20             {} absences of the database, {} refused starts, {} starts with a wrong mode, in {:.1} min",
            counts.kills,
            counts.stops,
            counts.freezes,
            counts.clock_troubles,
            counts.receiver_absences,
            counts.full_disks,
            counts.database_absences,
            counts.refused_starts,
            counts.starts_with_wrong_modes,
            self.minutes
        )?;
        if let (2.., Some(hand_overs)) = (self.kills_by_node.len(), self.hand_overs) {
            let kills = self.kills_by_node.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ");
            writeln!(
                f,
                "nodes         {kills} kills; groups of webhooks were taken over {hand_overs} times"
            )?;
        }
        writeln!(
            f,
            "calls         {} repeated because no answer came, {} repeated on purpose, {} refused for now;\n\
             \x20             {} events stored whose caller was never told; webhooks changed {} times",
            self.repeated_calls,
            self.replayed_calls,
            self.refused_calls,
            judgement.stored_unanswered,
            self.changes
        )?;
        writeln!(
            f,
            "arrivals      {}, of which {} carry a bent clock's time, {} a signature whose secret nobody was told",
            judgement.arrivals, judgement.strangely_stamped, judgement.unverified
        )?;
        writeln!(f, "in order      {} pairs of one ordering key were judged", judgement.in_order)?;
        writeln!(
            f,
            "this program  was late {} times, by {} ms at most, by {} ms in all; the oldest true timestamp was {} ms old",
            self.stalls, self.stall_ms_max, self.stall_ms_sum, judgement.stamp_age_ms_max
        )?;
        writeln!(
            f,
            "the disk      synced late {} times, by {} ms at most",
            self.slow_syncs, self.slow_sync_ms_max
        )?;
        for text in &self.skipped {
            writeln!(f, "SKIPPED       {text}")?;
        }
        for (violation, count) in &judgement.violations {
            writeln!(f, "BROKEN        {count} {}", violation.words())?;
        }
        for text in &self.named {
            writeln!(f, "  {text}")?;
        }
        if let Some(first) = &self.first_fault {
            writeln!(f, "FAULTS        {}, the first: {first}", self.faults)?;
        }
        writeln!(
            f,
            "acknowledged  {} events, for which {} deliveries were owed for certain",
            self.acknowledged, judgement.owed
        )?;
        writeln!(f, "delivered     {}", judgement.delivered)?;
        writeln!(f, "failed        {}, after every attempt was refused", judgement.failed)?;
        writeln!(
            f,
            "dropped       {}, because their webhook was switched off or deleted",
            judgement.dropped
        )?;
        writeln!(f, "pending       {}", judgement.pending)?;
        let covered = self.duplicates_max();
        writeln!(
            f,
            "judged        {} of {} that were taken could not come again without a finding; {:.2} % had an excuse ({})",
            judgement.taken - covered,
            judgement.taken,
            100.0 * covered as f64 / judgement.taken.max(1) as f64,
            counted(&judgement.excused)
        )?;
        write!(
            f,
            "duplicated    {}, where {covered} can be; {} without a reason ({}; {} ms at most from answer to kill)",
            judgement.duplicated,
            self.unexplained(),
            counted(&judgement.explained),
            judgement.unrecorded_ms_max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::judge::Judgement;

    fn good() -> Report {
        let judgement = Judgement { in_order: 1, ..Judgement::default() };
        Report { acknowledged: 7, judgement, ..Report::default() }
    }

    #[test]
    fn every_kind_of_trouble_has_its_verdict() {
        assert_eq!(good().verdict(), Ok(()));
        assert!(Report::default().verdict().is_err(), "a run without acknowledgements proves nothing");
        let mut broken = good();
        broken.judgement.violations = BTreeMap::from([(Violation::Stale, 3)]);
        assert_eq!(broken.verdict(), Err("3 signed with a wrong time".to_owned()));
        let faulty = Report { faults: 1, first_fault: Some("it ended by itself".to_owned()), ..good() };
        assert!(faulty.verdict().is_err_and(|error| error.contains("it ended by itself")));
        let mut bent = good();
        bent.counts.clock_troubles = 1;
        assert!(bent.verdict().is_err(), "a clock that nobody saw");
        bent.judgement.strangely_stamped = 1;
        assert_eq!(bent.verdict(), Ok(()));
        let mut noticed = good();
        (noticed.counts.clock_troubles, noticed.counts.clocks_noticed) = (1, 1);
        assert_eq!(noticed.verdict(), Ok(()));
    }

    #[test]
    fn most_of_what_was_taken_must_be_judged() {
        let mut report = good();
        report.judgement.excused = BTreeMap::from([(Reason::Killed, 2), (Reason::Frozen, 1)]);
        report.judgement.taken = 10;
        report.judgement.duplicated = 3;
        assert_eq!(report.verdict(), Ok(()));
        let text = report.to_string();
        assert!(text.contains("judged        7 of 10") && text.contains("30.00 %"), "{text}");
        assert!(text.contains("duplicated    3, where 3 can be"), "{text}");
        report.judgement.excused = BTreeMap::from([(Reason::Killed, 7)]);
        let little = "too little was judged: 7 of 10 that were taken had an excuse";
        assert_eq!(report.verdict(), Err(little.to_owned()));
    }

    #[test]
    fn kills_are_told_for_each_of_several_servers() {
        let alone = Report { kills_by_node: vec![7], hand_overs: Some(3), ..good() };
        assert!(!alone.to_string().contains("nodes"));
        let three = Report { kills_by_node: vec![7, 0, 2], ..alone };
        let told = "nodes         7 + 0 + 2 kills; groups of webhooks were taken over 3 times";
        assert!(three.to_string().contains(told), "{three}");
    }

    #[test]
    fn the_last_line_says_what_was_lost() {
        let mut report = good();
        assert_eq!(report.last_line(), "lost 0");
        report.judgement.lost = 2;
        assert_eq!((report.last_line().as_str(), &report.to_json()["lost"]), ("lost 2", &json!(2)));
    }
}
