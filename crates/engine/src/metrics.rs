//! Counters and histograms of the engine: plain numbers, rendered by whoever exposes them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use signalpost_core::attempt::{Failure, Outcome};
use signalpost_store::ledger::{Accepted, Repeated, Room, Storage};

use crate::fan_out::TurnedAway;
use crate::oldest_due::OldestDue;

/// Everything the engine counts since it started.
#[derive(Debug, Default)]
pub struct Metrics {
    pub events_accepted: Counter,
    /// Events that were known already by their producer's id.
    pub events_repeated: Counter,
    pub deliveries_created: Counter,
    /// Webhooks whose filter did not want an event that they had selected, once for each such event.
    pub filtered_out: Counter,
    /// Webhooks whose filter could not decide about such an event; they do not get it.
    pub filter_failures: Counter,
    /// Evaluations of filters for events that were to be accepted.
    pub filter_evaluations: Counter,
    pub deliveries_delivered: Counter,
    /// Deliveries whose last attempt failed with none left.
    pub deliveries_failed: Counter,
    pub retries_scheduled: Counter,
    /// Pauses of webhooks by the engine, and how many of them a success has ended.
    pub webhooks_paused: Counter,
    pub webhooks_recovered: Counter,
    /// Lanes that a delivery core has given to another that had less to do.
    pub lanes_moved: Counter,
    /// Events, attempts and dropped deliveries that are not in the figures of their workspace, or of their webhook: there were too many
    /// of these at once, or of rows that the store had refused.
    pub figures_left_out: Counter,
    /// Commits of outcomes that failed and were repeated.
    pub record_failures: Counter,
    /// Deliveries that replays have owed once more, or to another webhook.
    pub deliveries_replayed: Counter,
    /// Events that retention has removed.
    pub events_removed: Counter,
    /// Payloads that retention has removed of events that stayed.
    pub payloads_removed: Counter,
    /// Requests that were refused because all connections were taken.
    pub callers_turned_away: Counter,
    /// Sessions that were opened by a password.
    pub logins: Counter,
    /// Wrong passwords, and names that nobody has.
    pub logins_refused: Counter,
    /// Logins that were not looked at: wrong passwords had come too fast.
    pub logins_throttled: Counter,
    pub storage: StorageGauges,
    pub oldest_due: OldestDue,
    pub attempts_in_flight: Gauge,
    /// Deliveries that delivery cores hold in memory, in flight included.
    pub deliveries_in_memory: Gauge,
    /// Webhooks with a lane in memory.
    pub lanes_in_memory: Gauge,
    /// Replays that are being planned or run.
    pub replays_busy: Gauge,
    pub attempt_duration: Histogram,
    /// Worker time of first attempts in microseconds, as it is charged for.
    pub first_worker_us: Counter,
    /// The same of attempts that repeat a failed one.
    pub again_worker_us: Counter,
    /// From an event's acceptance to its delivery's success, but for those that were sent again or held by a pause.
    pub delivery_latency: Histogram,
    attempts: AttemptCounters,
}

/// What the store takes, as it was last looked at: seconds ago, a minute at most. Sizes are in bytes.
#[derive(Debug, Default)]
pub struct StorageGauges {
    pub database_bytes: Gauge,
    pub database_free_bytes: Gauge,
    pub wal_bytes: Gauge,
    pub disk_free_bytes: Gauge,
    pub disk_total_bytes: Gauge,
    pub events: Gauge,
    /// Answers kept for calls.
    pub answers_bytes: Gauge,
    /// Those that went before their time, since the store was opened.
    pub answers_forgotten: Gauge,
    /// 1 while new events are refused for want of room, else 0.
    pub full: Gauge,
}

impl StorageGauges {
    pub(crate) fn set(&self, storage: &Storage) {
        self.database_bytes.set(storage.database_bytes);
        self.database_free_bytes.set(storage.free_bytes);
        self.wal_bytes.set(storage.wal_bytes);
        if let Some(disk) = storage.disk {
            self.disk_free_bytes.set(disk.free_bytes);
            self.disk_total_bytes.set(disk.total_bytes);
        }
        self.events.set(storage.events);
        self.answers_bytes.set(storage.answers_bytes);
        self.answers_forgotten.set(storage.answers_forgotten);
        self.full.set(u64::from(storage.room == Room::Full));
    }
}

/// Outcomes as metrics tell them apart: answers by class, failures by name.
pub const OUTCOME_CLASSES: [&str; 13] = [
    "1xx", "2xx", "3xx", "4xx", "5xx", "dns", "blocked", "connect", "tls", "timeout", "reset", "protocol",
    "internal",
];

#[derive(Debug, Default)]
struct AttemptCounters([Counter; OUTCOME_CLASSES.len()]);

impl Metrics {
    /// How a publisher was answered, with what the filters did that were asked about each event; none where none were. What was
    /// stored is counted when it is [`crate::committed::Committed`].
    pub(crate) fn accepted(&self, accepted: &[Accepted], turned_away: &[TurnedAway]) {
        let turned_away = turned_away.iter().copied().chain(std::iter::repeat(TurnedAway::default()));
        for (one, turned_away) in accepted.iter().zip(turned_away) {
            match one.repeated {
                Repeated::Yes => self.events_repeated.add(1),
                Repeated::No => {
                    self.filtered_out.add(turned_away.filtered_out);
                    self.filter_failures.add(turned_away.failed);
                }
            }
        }
    }

    /// Worker time of an attempt, by how many of its round came before.
    pub(crate) fn worked(&self, tries: u32, us: u64) {
        if tries == 0 { self.first_worker_us.add(us) } else { self.again_worker_us.add(us) }
    }

    /// A caller was told that there is no connection for it. Only whoever serves callers knows.
    pub fn turn_away(&self) {
        self.callers_turned_away.add(1_u64);
    }

    pub(crate) fn attempted(&self, outcome: Outcome) {
        self.attempts.0[class_of(outcome)].add(1);
    }

    /// Attempts by outcome class, in the order of [`OUTCOME_CLASSES`].
    pub fn attempts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        OUTCOME_CLASSES.into_iter().zip(self.attempts.0.iter().map(Counter::get))
    }
}

fn class_of(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Status(status) => usize::from(status / 100).clamp(1, 5) - 1,
        Outcome::Failed(failure) => {
            5 + Failure::ALL.iter().position(|known| *known == failure).expect("ALL holds every failure")
        }
    }
}

#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: impl TryInto<u64>) {
        self.0.fetch_add(count.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets in microseconds; a last bucket takes the rest.
pub const BUCKET_BOUNDS_US: [u64; 14] = [
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    5_000_000,
    30_000_000,
    300_000_000,
];

#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKET_BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    pub(crate) fn record_us(&self, us: u64) {
        let bucket = BUCKET_BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Number of values in each bucket, not cumulated; the last one is above every bound.
    pub fn buckets(&self) -> Vec<u64> {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect()
    }

    pub fn sum_us(&self) -> u64 {
        self.sum_us.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_class() {
        let name = |outcome| OUTCOME_CLASSES[class_of(outcome)];
        for (status, class) in
            [(100, "1xx"), (204, "2xx"), (301, "3xx"), (429, "4xx"), (503, "5xx"), (999, "5xx")]
        {
            assert_eq!(name(Outcome::Status(status)), class);
        }
        for failure in Failure::ALL {
            assert_eq!(name(Outcome::Failed(failure)), failure.name());
        }
    }

    #[test]
    fn worker_time_is_filed_by_whether_something_came_before() {
        let metrics = Metrics::default();
        [(0, 30_000), (1, 5), (31, 7), (0, 1)].into_iter().for_each(|(tries, us)| metrics.worked(tries, us));
        assert_eq!((metrics.first_worker_us.get(), metrics.again_worker_us.get()), (30_001, 12));
    }

    #[test]
    fn a_histogram_files_values_under_their_bound() {
        let histogram = Histogram::default();
        for us in [0, 500, 501, u64::from(u32::MAX)] {
            histogram.record_us(us);
        }
        let buckets = histogram.buckets();
        assert_eq!((buckets[0], buckets[1], *buckets.last().expect("the last one")), (2, 1, 1));
        assert_eq!(histogram.sum_us(), 1_001 + u64::from(u32::MAX));
    }
}
