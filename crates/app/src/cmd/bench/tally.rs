//! Matching the receiver's records with the generator's book.

use std::ops::Range;

use hdrhistogram::Histogram;

use super::calls::{Calls, Fate};
use super::ledger::Received;
use super::record::{Record, Verdict};

/// The longest latency that is told apart; a longer one counts as this.
const LATENCY_NS_MAX: u64 = 3_600 * 1_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

/// What the records of a whole scenario come to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) received: Received,
    /// The first successful arrival of each delivery: event's number and time.
    pub(super) arrivals: Vec<Arrival>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) number: u64,
    pub(super) at_ns: u64,
}

/// Latencies in nanoseconds.
pub(super) struct Latencies {
    /// From the scheduled moment to the publisher's answer.
    pub(super) answer: Histogram<u64>,
    /// From the scheduled moment to the arrival at the receiver.
    pub(super) arrival: Histogram<u64>,
    /// From the scheduled moment to the sending: what the generator itself was late.
    pub(super) lag: Histogram<u64>,
}

pub(super) fn tally(calls: &Calls, mut records: Vec<Record>) -> Tally {
    // The earliest of equals comes first; what follows it is a repetition.
    records.sort_unstable_by_key(|record| (record.event, record.target, record.at_ns));
    let mut tally = Tally { received: Received::default(), arrivals: Vec::with_capacity(records.len()) };
    let mut last = None;
    for record in records {
        let received = &mut tally.received;
        match record.verdict {
            Verdict::Refuted => received.refuted += 1,
            Verdict::Held => received.held += 1,
            Verdict::Declined => received.declined += 1,
            Verdict::Verified => {
                let pair = Some((record.event, record.target));
                match origin(calls, &record) {
                    Origin::Stranger => {
                        received.strangers += 1;
                        continue;
                    }
                    _ if last == pair => received.duplicates += 1,
                    Origin::Acknowledged { measured } => {
                        received.distinct += 1;
                        received.distinct_measured += u64::from(measured);
                    }
                    Origin::Unanswered => received.distinct_unknown += 1,
                }
                if last != pair {
                    tally.arrivals.push(Arrival { number: record.number, at_ns: record.at_ns });
                }
                last = pair;
            }
        }
    }
    tally.arrivals.sort_unstable_by_key(|arrival| arrival.at_ns);
    tally
}

enum Origin {
    Acknowledged { measured: bool },
    Unanswered,
    Stranger,
}

fn origin(calls: &Calls, record: &Record) -> Origin {
    let Some(call) = calls.get(record.number) else { return Origin::Stranger };
    let targets = &calls.route_of(call).targets;
    match call.fate {
        _ if !targets.contains(&record.target) => Origin::Stranger,
        Fate::Acknowledged(receipt) if receipt.event == record.event => {
            Origin::Acknowledged { measured: calls.is_measured(call) }
        }
        Fate::Unknown => Origin::Unanswered,
        Fate::Acknowledged(_) | Fate::Refused { .. } => Origin::Stranger,
    }
}

impl Tally {
    /// Arrivals of the events with these numbers, in order.
    pub(super) fn arrivals_of(&self, numbers: &Range<u64>) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().filter(|arrival| numbers.contains(&arrival.number))
    }
}

impl Latencies {
    /// Those of the group that is measured.
    pub(super) fn of(calls: &Calls, tally: &Tally, numbers: &Range<u64>) -> Self {
        let mut latencies = Self { answer: empty(), arrival: empty(), lag: empty() };
        for call in calls.among(numbers.clone()).iter().filter(|call| calls.is_measured(call)) {
            latencies.lag.saturating_record(call.sent_ns.saturating_sub(call.due_ns));
            if matches!(call.fate, Fate::Acknowledged(_)) {
                latencies.answer.saturating_record(call.answered_ns.saturating_sub(call.due_ns));
            }
        }
        for arrival in tally.arrivals_of(numbers) {
            if let Some(call) = calls.get(arrival.number).filter(|call| calls.is_measured(call)) {
                latencies.arrival.saturating_record(arrival.at_ns.saturating_sub(call.due_ns));
            }
        }
        latencies
    }
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS)
        .expect("constant bounds that are in order")
}

#[cfg(test)]
mod tests {
    use super::super::calls::Reason;
    use super::super::group::Group;
    use super::super::request::{Receipt, Route};
    use super::*;

    /// Events 0 (acknowledged as 100), 1 (unknown) and 2 (refused), each for the webhooks 5 and 6, due at 1,000.
    fn calls() -> Calls {
        let route =
            |targets, group| Route { workspace: String::new(), event_type: String::new(), targets, group };
        let routes = vec![route(5..7, Group::Measured), route(7..8, Group::Neighbour)];
        let mut calls = Calls { routes, ..Calls::default() };
        for _ in 0..3 {
            calls.begin(0, 1_000, 1_500);
        }
        calls.end(0, Fate::Acknowledged(Receipt { event: 100, deliveries: 2 }), 3_000);
        calls.end(2, Fate::Refused { status: 503, told: Reason::Given }, 3_000);
        calls
    }

    fn record(number: u64, event: i64, target: u32, at_ns: u64) -> Record {
        Record { event, number, at_ns, target, verdict: Verdict::Verified }
    }

    #[test]
    fn records_are_matched_with_the_book() {
        let mut records = vec![
            record(0, 100, 5, 9_000),
            record(0, 100, 5, 8_000),
            record(0, 100, 6, 7_000),
            record(1, 101, 5, 6_000),
            record(0, 999, 5, 1),
            record(0, 100, 7, 1),
            record(2, 102, 5, 1),
            record(3, 103, 5, 1),
        ];
        records.push(Record { verdict: Verdict::Refuted, ..record(0, 100, 5, 1) });
        records.push(Record { verdict: Verdict::Held, ..record(0, 100, 5, 1) });
        records.push(Record { verdict: Verdict::Declined, ..record(0, 100, 5, 1) });
        let tally = tally(&calls(), records);
        let expected = Received {
            distinct: 2,
            distinct_measured: 2,
            distinct_unknown: 1,
            duplicates: 1,
            strangers: 4,
            refuted: 1,
            held: 1,
            declined: 1,
        };
        assert_eq!(tally.received, expected);
        let arrivals: Vec<u64> = tally.arrivals_of(&(0..1)).map(|arrival| arrival.at_ns).collect();
        assert_eq!(arrivals, [7_000, 8_000]);
    }

    #[test]
    fn sums_bound_what_is_unknown() {
        let sum = calls().sum(0..3);
        assert_eq!((sum.acknowledged, sum.refused, sum.unknown), (1, 1, 1));
        assert_eq!((sum.expected, sum.promised, sum.unknown_deliveries), (2, 2, 2));
        assert_eq!([429, 503].map(|status| calls().refused(0..3, status, Reason::Given)), [0, 1]);
        assert_eq!(calls().sum(1..1), super::super::calls::Published::default());
    }

    #[test]
    fn latency_counts_from_the_timetable() {
        let calls = calls();
        let tally = tally(&calls, vec![record(0, 100, 5, 9_000), record(0, 100, 6, 9_000)]);
        let latencies = Latencies::of(&calls, &tally, &(0..1));
        let only = |histogram: &Histogram<u64>| (histogram.len(), histogram.value_at_quantile(0.5));
        assert_eq!(only(&latencies.lag), (1, 500));
        assert_eq!(only(&latencies.answer), (1, 2_000));
        assert!((8_000..8_010).contains(&latencies.arrival.max()) && latencies.arrival.len() == 2);
    }
    #[test]
    fn neighbours_are_delivered_to_and_not_measured() {
        let mut calls = calls();
        let neighbour = calls.begin(1, 1_000, 1_500);
        calls.end(neighbour, Fate::Acknowledged(Receipt { event: 103, deliveries: 1 }), 3_000);
        let sum = calls.sum(0..4);
        assert_eq!((sum.expected, sum.expected_measured), (3, 2));
        let records = vec![record(0, 100, 5, 9_000), record(neighbour, 103, 7, 50_000)];
        let tally = tally(&calls, records);
        assert_eq!((tally.received.distinct, tally.received.distinct_measured), (2, 1));
        let latencies = Latencies::of(&calls, &tally, &(0..4));
        let lengths = [&latencies.lag, &latencies.answer, &latencies.arrival].map(Histogram::len);
        assert_eq!(lengths, [3, 1, 1], "three events, of which one was acknowledged and arrived");
        assert!(latencies.arrival.max() < 9_000);
    }
}
