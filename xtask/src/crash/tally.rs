//! Counts: what was promised against what arrived. Pure, so that the judge can be judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ledger::{Receipt, ReceiptKind};
use super::publish::{Key, Published};

/// A delivery that arrived this long before a kill may still have been in flight: the receiver takes up to 20 ms,
/// and the outcome is on disk only after the commit that follows.
const IN_FLIGHT_WINDOW: Duration = Duration::from_millis(500);
/// What a killed process had written may be read by the receiver a little after its death.
const LATE_READ: Duration = Duration::from_millis(250);

/// A kill and the launch that followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) killed_at: Instant,
    pub(super) launched_at: Instant,
}

impl Outage {
    /// Whether a delivery that arrived at `at` may have been in flight at the kill.
    fn explains(&self, at: Instant) -> bool {
        at + IN_FLIGHT_WINDOW >= self.killed_at && at <= self.launched_at + LATE_READ
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    kills: usize,
    acknowledged: usize,
    /// Different events that arrived, acknowledged or not.
    delivered: usize,
    /// Acknowledged and never arrived.
    lost: usize,
    /// Arrivals beyond the first of an event.
    duplicated: usize,
    /// Duplicates whose first arrival was in flight at no kill.
    unexplained: usize,
    /// The most that may have been in flight at one kill.
    in_flight_max: usize,
    unanswered: u64,
    refused: u64,
    /// Deliveries that were not signed as documented.
    wrong: usize,
    /// Acknowledgements with a sequence number that another one of the workspace has as well.
    sequences_reused: usize,
}

pub(super) fn tally(published: &Published, receipts: &[Receipt], outages: &[Outage]) -> Report {
    let mut arrivals: BTreeMap<Key, Vec<Instant>> = BTreeMap::new();
    for receipt in receipts.iter().filter(|receipt| receipt.kind == ReceiptKind::Taken) {
        arrivals.entry(receipt.key).or_default().push(receipt.at);
    }
    let explained = |at: Instant| outages.iter().any(|outage| outage.explains(at));
    // Each arrival but the last was followed by another one, so something must explain it.
    let followed = arrivals.values().flat_map(|times| &times[..times.len() - 1]);
    let in_flight = |outage: &Outage| receipts.iter().filter(|receipt| outage.explains(receipt.at)).count();
    let sequences: BTreeSet<(usize, u64)> =
        published.acknowledged.iter().map(|event| (event.key.lane, event.sequence)).collect();
    Report {
        kills: outages.len(),
        acknowledged: published.acknowledged.len(),
        delivered: arrivals.len(),
        lost: published.acknowledged.iter().filter(|event| !arrivals.contains_key(&event.key)).count(),
        duplicated: followed.clone().count(),
        unexplained: followed.filter(|at| !explained(**at)).count(),
        in_flight_max: outages.iter().map(in_flight).max().unwrap_or_default(),
        unanswered: published.unanswered,
        refused: published.refused,
        wrong: receipts.iter().filter(|receipt| receipt.kind == ReceiptKind::Wrong).count(),
        sequences_reused: published.acknowledged.len() - sequences.len(),
    }
}

impl Report {
    /// The error names every promise that was broken.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let promises = [
            (self.acknowledged == 0, "nothing was acknowledged, so nothing was tested".to_owned()),
            (self.lost > 0, format!("{} acknowledged events were lost", self.lost)),
            (self.unexplained > 0, format!("{} duplicates were in flight at no kill", self.unexplained)),
            (self.wrong > 0, format!("{} deliveries were not signed as documented", self.wrong)),
            (self.sequences_reused > 0, format!("{} sequence numbers were reused", self.sequences_reused)),
        ];
        let broken: Vec<String> =
            promises.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, what)| what).collect();
        if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "kills": self.kills,
            "acknowledged": self.acknowledged,
            "delivered": self.delivered,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "duplicated_unexplained": self.unexplained,
            "in_flight_max": self.in_flight_max,
            "unanswered": self.unanswered,
            "refused": self.refused,
            "signatures_wrong": self.wrong,
            "sequences_reused": self.sequences_reused,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills             {}", self.kills)?;
        writeln!(f, "acknowledged      {}", self.acknowledged)?;
        writeln!(
            f,
            "delivered         {} (more than acknowledged: stored, but the answer was cut off)",
            self.delivered
        )?;
        writeln!(f, "lost              {}", self.lost)?;
        writeln!(
            f,
            "duplicated        {}, of which {} in flight at no kill",
            self.duplicated, self.unexplained
        )?;
        writeln!(f, "in flight         at most {} at one kill", self.in_flight_max)?;
        writeln!(
            f,
            "unanswered        {} publish calls; refused with \"later\": {}",
            self.unanswered, self.refused
        )?;
        write!(f, "wrong signatures  {}; sequence numbers reused: {}", self.wrong, self.sequences_reused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::publish::Acknowledged;

    const KEY: Key = Key { lane: 0, number: 1 };

    /// One kill at second 10, a launch right after it; arrivals at these milliseconds.
    fn report(acknowledged: &[u64], arrivals_ms: &[u64]) -> Report {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let acknowledged = acknowledged.iter().map(|sequence| Acknowledged { key: KEY, sequence: *sequence });
        let published = Published { acknowledged: acknowledged.collect(), ..Published::default() };
        let receipt = |ms: &u64| Receipt { key: KEY, at: at(*ms), kind: ReceiptKind::Taken };
        let receipts: Vec<Receipt> = arrivals_ms.iter().map(receipt).collect();
        tally(&published, &receipts, &[Outage { killed_at: at(10_000), launched_at: at(10_050) }])
    }

    #[test]
    fn a_promise_that_was_kept_passes() {
        let kept = report(&[1], &[5_000]);
        assert_eq!((kept.lost, kept.duplicated, kept.delivered, kept.in_flight_max), (0, 0, 1, 0));
        assert_eq!(kept.verdict(), Ok(()));
    }

    #[test]
    fn a_lost_event_fails() {
        let lost = report(&[1], &[]);
        assert_eq!(lost.lost, 1);
        assert!(lost.verdict().is_err());
        assert!(report(&[], &[5_000]).verdict().is_err(), "a run without acknowledgements proves nothing");
    }

    #[test]
    fn a_duplicate_needs_a_kill_while_it_was_in_flight() {
        let in_flight = report(&[1], &[9_800, 12_000]);
        assert_eq!((in_flight.duplicated, in_flight.unexplained, in_flight.in_flight_max), (1, 0, 1));
        assert_eq!(in_flight.verdict(), Ok(()));
        for unexplained in [[5_000, 5_100], [9_000, 12_000], [11_000, 12_000]] {
            let report = report(&[1], &unexplained);
            assert_eq!((report.duplicated, report.unexplained), (1, 1), "{unexplained:?}");
            assert!(report.verdict().is_err());
        }
    }

    #[test]
    fn a_sequence_number_handed_out_twice_fails() {
        let reused = report(&[7, 7], &[5_000]);
        assert_eq!(reused.sequences_reused, 1);
        assert!(reused.verdict().is_err());
    }
}
