//! One measured part of a scenario, and the figures that come of it.

use std::ops::Range;

use hdrhistogram::Histogram;

use super::calls::{Call, Calls, Fate};
use super::clock::NS_PER_S;
use super::postgres::Counters;
use super::process::{CpuSpent, CpuTimes};
use super::rig::Drained;
use super::tally::{Latencies, Tally};

/// Everything that is read before and after.
pub(super) struct Reading {
    pub(super) at_ns: u64,
    pub(super) server: CpuTimes,
    pub(super) receiver: CpuTimes,
    pub(super) generator: CpuTimes,
    pub(super) database: Option<Counters>,
    pub(super) disk_bytes: u64,
}

pub(super) struct Phase {
    pub(super) name: &'static str,
    /// Events that were published in it.
    pub(super) numbers: Range<u64>,
    /// When the last publisher was answered.
    pub(super) published_ns: u64,
    pub(super) last_arrival_ns: u64,
    /// Requests that the receiver answered with success, repetitions included.
    pub(super) arrived: u64,
    pub(super) drained: Drained,
    pub(super) resident_kib: u64,
    pub(super) peak_kib: u64,
    pub(super) before: Reading,
    pub(super) after: Reading,
}

/// Figures of a phase, ready to be printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) name: String,
    /// From the first event to the end of the housekeeping, on `CLOCK_MONOTONIC`.
    pub(super) window_ns: [u64; 2],
    pub(super) events: u64,
    pub(super) refused: u64,
    pub(super) unknown: u64,
    pub(super) deliveries: u64,
    pub(super) events_per_s: f64,
    pub(super) deliveries_per_s: f64,
    pub(super) drained: bool,
    /// `None` where nobody has neighbours.
    pub(super) groups: Option<Groups>,
    /// CPU in microseconds for each delivery.
    pub(super) cpu: CpuFigures,
    /// `None` where the database is a part of the server.
    pub(super) database: Option<DatabaseFigures>,
    pub(super) latency: Option<LatencyFigures>,
    pub(super) resident_mib: f64,
    pub(super) peak_mib: f64,
    /// `None` when no event was published.
    pub(super) disk_bytes_per_event: Option<f64>,
    /// Deliveries per second, in equal steps from the start.
    pub(super) timeline: Vec<f64>,
    pub(super) timeline_step_s: f64,
}

/// The same phase by group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    pub(super) measured: GroupFigures,
    pub(super) neighbours: GroupFigures,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupFigures {
    /// Acknowledged in the phase.
    pub(super) events: u64,
    /// Of these events, as far as they arrived while the phase lasted.
    pub(super) deliveries: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CpuFigures {
    pub(super) server_us: f64,
    pub(super) server_user_us: f64,
    pub(super) server_system_us: f64,
    pub(super) threads_us: Vec<(String, f64)>,
    pub(super) receiver_us: f64,
    pub(super) generator_us: f64,
}

/// What a database server did for each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct DatabaseFigures {
    /// In microseconds for each delivery.
    pub(super) cpu_us: f64,
    pub(super) wal_bytes_per_event: f64,
    pub(super) commits_per_event: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct LatencyFigures {
    pub(super) answer: Curve,
    pub(super) arrival: Curve,
    pub(super) lag: Curve,
}

/// A distribution in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) count: u64,
    pub(super) mean_ms: f64,
    pub(super) max_ms: f64,
    /// Quantile and value, rising.
    pub(super) points: Vec<(f64, f64)>,
}

/// The quantiles that are printed; the curve has more between them.
pub(super) const QUANTILES: [f64; 6] = [0.5, 0.9, 0.99, 0.999, 0.9999, 1.0];
/// Points of a curve for each factor of ten by which the rest above it shrinks.
const POINTS_PER_DECADE: u32 = 10;
const DECADES: u32 = 4;
const TIMELINE_STEPS: u64 = 60;
const TIMELINE_STEP_NS_MIN: u64 = 100_000_000;
const NS_PER_MS: f64 = 1e6;

impl Phase {
    pub(super) fn seconds(&self) -> f64 {
        let end_ns = self.last_arrival_ns.max(self.published_ns);
        end_ns.saturating_sub(self.before.at_ns).max(1) as f64 / NS_PER_S as f64
    }

    pub(super) fn deliveries_per_s(&self) -> f64 {
        self.arrived as f64 / self.seconds()
    }

    pub(super) fn figures(&self, calls: &Calls, tally: &Tally, timed: Timed) -> Figures {
        let sum = calls.sum(self.numbers.clone());
        let published_s = self.published_ns.saturating_sub(self.before.at_ns).max(1) as f64 / NS_PER_S as f64;
        let (timeline, timeline_step_s) = self.timeline(tally);
        let disk_bytes = self.after.disk_bytes.saturating_sub(self.before.disk_bytes);
        let latency = || LatencyFigures::of(&Latencies::of(calls, tally, &self.numbers));
        Figures {
            name: self.name.to_owned(),
            window_ns: [self.before.at_ns, self.after.at_ns],
            events: sum.acknowledged,
            refused: sum.refused,
            unknown: sum.unknown,
            deliveries: self.arrived,
            events_per_s: sum.acknowledged as f64 / published_s,
            deliveries_per_s: self.deliveries_per_s(),
            drained: self.drained == Drained::Yes,
            groups: Some(self.groups(calls, tally)).filter(|groups| groups.neighbours.events > 0),
            cpu: self.cpu(),
            database: self.database(sum.acknowledged),
            latency: (timed == Timed::Yes).then(latency),
            resident_mib: self.resident_kib as f64 / 1_024.0,
            peak_mib: self.peak_kib as f64 / 1_024.0,
            disk_bytes_per_event: (sum.acknowledged > 0).then(|| disk_bytes as f64 / sum.acknowledged as f64),
            timeline,
            timeline_step_s,
        }
    }

    fn groups(&self, calls: &Calls, tally: &Tally) -> Groups {
        let mut groups = Groups::default();
        for call in calls.among(self.numbers.clone()) {
            if matches!(call.fate, Fate::Acknowledged(_)) {
                groups.of(calls, call).events += 1;
            }
        }
        let arrivals = tally.arrivals_of(&self.numbers);
        for arrival in arrivals.filter(|arrival| arrival.at_ns < self.after.at_ns) {
            if let Some(call) = calls.get(arrival.number) {
                groups.of(calls, call).deliveries += 1;
            }
        }
        groups
    }

    fn cpu(&self) -> CpuFigures {
        let (before, after) = (&self.before, &self.after);
        let each = |ns: u64| ns as f64 / 1_000.0 / self.arrived.max(1) as f64;
        let server: CpuSpent = after.server.since(&before.server);
        CpuFigures {
            server_us: each(server.total_ns),
            server_user_us: each(server.user_ns),
            server_system_us: each(server.system_ns),
            threads_us: server.threads.into_iter().map(|(name, ns)| (name, each(ns))).collect(),
            receiver_us: each(after.receiver.since(&before.receiver).total_ns),
            generator_us: each(after.generator.since(&before.generator).total_ns),
        }
    }

    fn database(&self, events: u64) -> Option<DatabaseFigures> {
        let Counters { cpu_ns, wal_bytes, commits } = self.after.database?.since(self.before.database?);
        let each_event = |count: u64| count as f64 / events.max(1) as f64;
        Some(DatabaseFigures {
            cpu_us: cpu_ns as f64 / 1_000.0 / self.arrived.max(1) as f64,
            wal_bytes_per_event: each_event(wal_bytes),
            commits_per_event: each_event(commits),
        })
    }

    fn timeline(&self, tally: &Tally) -> (Vec<f64>, f64) {
        let (start_ns, end_ns) = (self.before.at_ns, self.last_arrival_ns.max(self.before.at_ns + 1));
        let step_ns = ((end_ns - start_ns) / TIMELINE_STEPS).max(TIMELINE_STEP_NS_MIN);
        let step_s = step_ns as f64 / NS_PER_S as f64;
        // Whole steps only: a part of one at the end would look like a fall.
        let steps = ((end_ns - start_ns) / step_ns).max(1);
        let mut counts = vec![0_u64; usize::try_from(steps).expect("some sixty")];
        let end_ns = start_ns + steps * step_ns;
        let within = tally.arrivals.iter().filter(|arrival| (start_ns..end_ns).contains(&arrival.at_ns));
        for arrival in within {
            counts[usize::try_from((arrival.at_ns - start_ns) / step_ns).expect("some sixty")] += 1;
        }
        (counts.into_iter().map(|count| count as f64 / step_s).collect(), step_s)
    }
}

impl Groups {
    fn of(&mut self, calls: &Calls, call: &Call) -> &mut GroupFigures {
        if calls.is_measured(call) { &mut self.measured } else { &mut self.neighbours }
    }
}

/// Whether a phase's latency means anything: in a closed loop it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    Yes,
    No,
}

impl LatencyFigures {
    fn of(latencies: &Latencies) -> Self {
        Self {
            answer: Curve::of(&latencies.answer),
            arrival: Curve::of(&latencies.arrival),
            lag: Curve::of(&latencies.lag),
        }
    }
}

impl Curve {
    fn of(histogram: &Histogram<u64>) -> Self {
        let between = (0..=DECADES * POINTS_PER_DECADE)
            .map(|step| 1.0 - 10_f64.powf(-f64::from(step) / f64::from(POINTS_PER_DECADE)));
        let mut quantiles: Vec<f64> = between.chain(QUANTILES).collect();
        quantiles.sort_by(f64::total_cmp);
        quantiles.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
        let value = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / NS_PER_MS;
        Self {
            count: histogram.len(),
            mean_ms: histogram.mean() / NS_PER_MS,
            max_ms: histogram.max() as f64 / NS_PER_MS,
            points: quantiles.into_iter().map(|quantile| (quantile, value(quantile))).collect(),
        }
    }

    /// The value at one of [`QUANTILES`].
    pub(super) fn at(&self, quantile: f64) -> f64 {
        let point = self.points.iter().find(|(known, _)| (known - quantile).abs() < 1e-9);
        point.map_or(f64::NAN, |(_, ms)| *ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_holds_the_printed_quantiles() {
        let mut histogram = Histogram::new_with_bounds(1, 1_000_000_000_000, 3).expect("bounds");
        for ms in 1..=1_000_u64 {
            histogram.record(ms * 1_000_000).expect("within the bounds");
        }
        let curve = Curve::of(&histogram);
        assert_eq!(curve.count, 1_000);
        for (quantile, ms) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1_000.0)] {
            assert!((curve.at(quantile) / ms - 1.0).abs() < 0.002, "{quantile}: {}", curve.at(quantile));
        }
        assert!(curve.points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
        assert!(curve.at(0.123).is_nan());
    }
}
