//! What has happened, added up by minutes and hours for people who look.
//!
//! Figures are a view and never the truth: they are counted in memory and stored now and then, so a crash loses the last of them,
//! and a store that was slow to answer may have added some twice. Nothing is decided by them.

use crate::id::{WebhookId, WorkspaceId};
use crate::limits::{MINUTE_FIGURES_AGE_MS, WEBHOOK_FIGURES_AGE_MS, WORKSPACE_FIGURES_AGE_MS};
use crate::time::Timestamp;

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Of whom figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FiguresOf {
    /// All workspaces, minute by minute.
    Installation,
    /// Hour by hour.
    Workspace(WorkspaceId),
    /// Hour by hour as well, and for less long.
    Webhook(WorkspaceId, WebhookId),
}

impl FiguresOf {
    /// How long one row counts.
    pub const fn step_ms(self) -> i64 {
        match self {
            Self::Installation => MINUTE_MS,
            Self::Workspace(_) | Self::Webhook(..) => HOUR_MS,
        }
    }

    /// For how long they are kept.
    pub const fn age_ms(self) -> i64 {
        match self {
            Self::Installation => MINUTE_FIGURES_AGE_MS,
            Self::Workspace(_) => WORKSPACE_FIGURES_AGE_MS,
            Self::Webhook(..) => WEBHOOK_FIGURES_AGE_MS,
        }
    }

    /// The row in which something counts that happens at an instant.
    pub const fn at(self, now: Timestamp) -> FiguresKey {
        FiguresKey { of: self, at: Timestamp::from_ms(now.as_ms() - now.as_ms().rem_euclid(self.step_ms())) }
    }

    pub const fn workspace(self) -> Option<WorkspaceId> {
        match self {
            Self::Installation => None,
            Self::Workspace(workspace) | Self::Webhook(workspace, _) => Some(workspace),
        }
    }

    /// Numbers of the workspace and the webhook, zero where there is none: no object has that.
    pub const fn parts(self) -> (i64, i64) {
        match self {
            Self::Installation => (0, 0),
            Self::Workspace(workspace) => (workspace.raw(), 0),
            Self::Webhook(workspace, webhook) => (workspace.raw(), webhook.raw()),
        }
    }
}

/// A row: of whom, and when it begins to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiguresKey {
    pub of: FiguresOf,
    pub at: Timestamp,
}

/// What has happened in one minute or one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that were accepted.
    pub events: u64,
    pub attempts_succeeded: u64,
    pub attempts_failed: u64,
    pub delivered: u64,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Deliveries that ended with their webhook, as far as a delivery core held them then. What lay on the disk alone is in none of
    /// these figures, nor what ended with a whole workspace.
    pub dropped: u64,
    /// Attempts that are to be repeated.
    pub retries: u64,
    /// For how long the oldest delivery had been due, at most, as the last look before had found it. Of the installation alone.
    pub oldest_due_ms: u64,
    pub latency: Latencies,
}

/// Numbers of a row, as stores keep them.
pub const FIGURES_NUMBERS: usize = 9 + LATENCY_BUCKETS;

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.attempts_succeeded += other.attempts_succeeded;
        self.attempts_failed += other.attempts_failed;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.retries += other.retries;
        self.oldest_due_ms = self.oldest_due_ms.max(other.oldest_due_ms);
        self.latency.add(&other.latency);
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// How much has happened: events, attempts and deliveries that ended without one.
    pub const fn happenings(&self) -> u64 {
        self.events + self.attempts() + self.dropped
    }

    pub const fn attempts(&self) -> u64 {
        self.attempts_succeeded + self.attempts_failed
    }

    /// Thousandths of the attempts that succeeded; `None` where there was none.
    pub fn success_permille(&self) -> Option<u64> {
        (self.attempts_succeeded * 1_000).checked_div(self.attempts())
    }

    /// In the order in which stores keep them.
    pub fn numbers(&self) -> [u64; FIGURES_NUMBERS] {
        let counts = [
            self.events,
            self.attempts_succeeded,
            self.attempts_failed,
            self.delivered,
            self.failed,
            self.dropped,
            self.retries,
            self.oldest_due_ms,
            self.latency.sum_ms,
        ];
        let mut numbers = [0; FIGURES_NUMBERS];
        numbers[..counts.len()].copy_from_slice(&counts);
        numbers[counts.len()..].copy_from_slice(&self.latency.buckets);
        numbers
    }

    pub fn from_numbers(numbers: &[u64; FIGURES_NUMBERS]) -> Self {
        let [events, attempts_succeeded, attempts_failed, delivered, failed, dropped, retries, rest @ ..] =
            *numbers;
        let [oldest_due_ms, sum_ms, buckets @ ..] = rest;
        let latency = Latencies { sum_ms, buckets };
        Self {
            events,
            attempts_succeeded,
            attempts_failed,
            delivered,
            failed,
            dropped,
            retries,
            oldest_due_ms,
            latency,
        }
    }
}

/// Upper bounds of the buckets in milliseconds, in steps that look the same on a logarithmic scale; a last bucket takes the rest.
pub const LATENCY_BOUNDS_MS: [u64; LATENCY_BUCKETS - 1] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000, 60_000, 300_000];
pub const LATENCY_BUCKETS: usize = 16;

/// Times from an event's acceptance to its delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    pub sum_ms: u64,
    pub buckets: [u64; LATENCY_BUCKETS],
}

impl Latencies {
    pub fn saw(&mut self, ms: u64) {
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.buckets[LATENCY_BOUNDS_MS.partition_point(|bound| *bound < ms)] += 1;
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// A time that so many of a hundred did not exceed, as near as the bounds tell: evenly between those of its bucket. Above the
    /// last bound it is that bound. `None` where nothing was seen.
    pub fn percentile_ms(&self, percent: u64) -> Option<u64> {
        let count = self.count();
        let wanted = (count * percent).div_ceil(100).max(1);
        let mut below = 0;
        for (bucket, seen) in self.buckets.iter().enumerate() {
            if below + seen >= wanted {
                let lower = bucket.checked_sub(1).map_or(0, |before| LATENCY_BOUNDS_MS[before]);
                let upper = LATENCY_BOUNDS_MS.get(bucket).copied().unwrap_or(lower);
                return Some(lower + (upper - lower) * (wanted - below) / (*seen).max(1));
            }
            below += seen;
        }
        None
    }

    fn add(&mut self, other: &Self) {
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
        self.buckets.iter_mut().zip(other.buckets).for_each(|(mine, others)| *mine += others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_from_the_beginning_of_its_minute_or_hour() {
        let (workspace, webhook) = (WorkspaceId::from_raw(7), WebhookId::from_raw(8));
        let now = Timestamp::from_ms(5 * HOUR_MS + 3 * MINUTE_MS + 7);
        let hour = Timestamp::from_ms(5 * HOUR_MS);
        for (of, at) in [
            (FiguresOf::Installation, hour.plus_ms(3 * MINUTE_MS)),
            (FiguresOf::Workspace(workspace), hour),
            (FiguresOf::Webhook(workspace, webhook), hour),
        ] {
            assert_eq!(of.at(now), FiguresKey { of, at });
            assert_eq!(of.at(at), FiguresKey { of, at }, "its first instant is its own");
        }
        let before = FiguresOf::Installation.at(Timestamp::from_ms(-1));
        assert_eq!(before.at, Timestamp::from_ms(-MINUTE_MS), "also before the epoch");
    }

    #[test]
    fn figures_add_up_and_the_oldest_is_the_oldest_of_all() {
        let mut numbers = [0; FIGURES_NUMBERS];
        numbers.iter_mut().zip(1..).for_each(|(number, value)| *number = value);
        let figures = Figures::from_numbers(&numbers);
        assert_eq!(figures.numbers(), numbers);
        assert_eq!((figures.events, figures.oldest_due_ms, figures.latency.sum_ms), (1, 8, 9));
        let mut sum = figures;
        sum.add(&Figures { oldest_due_ms: 3, ..figures });
        let mut expected = numbers.map(|number| 2 * number);
        expected[7] = 8;
        assert_eq!(sum.numbers(), expected);
        assert!(Figures::default().is_nothing() && !sum.is_nothing());
    }

    #[test]
    fn a_success_rate_is_of_attempts_and_of_nothing_without_any() {
        let of = |succeeded, failed| {
            Figures { attempts_succeeded: succeeded, attempts_failed: failed, ..Figures::default() }
                .success_permille()
        };
        assert_eq!([of(0, 0), of(0, 3), of(2, 1), of(4, 0)], [None, Some(0), Some(666), Some(1_000)]);
    }

    #[test]
    fn percentiles_lie_within_their_bucket() {
        let mut seen = Latencies::default();
        assert_eq!(seen.percentile_ms(50), None);
        (0..99).for_each(|_| seen.saw(7));
        seen.saw(400_000);
        assert_eq!(seen.count(), 100);
        let [half, most, all] = [50, 99, 100].map(|percent| seen.percentile_ms(percent));
        assert_eq!((half, most, all), (Some(7), Some(10), Some(300_000)));
        assert_eq!(seen.sum_ms, 99 * 7 + 400_000);
        let mut quick = Latencies::default();
        quick.saw(0);
        assert_eq!(quick.percentile_ms(50), Some(1), "no more than its upper bound");
    }

    #[test]
    fn bounds_grow() {
        assert!(LATENCY_BOUNDS_MS.is_sorted_by(|one, next| one < next));
    }
}
