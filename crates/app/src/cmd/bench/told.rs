//! Asking the server what became of its deliveries, as anybody can: its metrics and its lists.

use std::str::FromStr;

use serde_json::Value;

use super::client::Connection;
use super::ledger::Told;
use super::request::Letterhead;
use crate::cmd::Failure;

impl Told {
    /// What one process of the server has counted since its start.
    pub(super) async fn counted(connection: &mut Connection, by: &Letterhead) -> Result<Self, Failure> {
        Self::of_metrics(&connection.metrics(by).await?)
    }

    fn of_metrics(text: &str) -> Result<Self, Failure> {
        Ok(Self {
            accepted: sample(text, "signalpost_events_accepted_total")?,
            created: sample(text, "signalpost_deliveries_created_total")?,
            delivered: sample(text, "signalpost_deliveries_ended_total{status=\"delivered\"}")?,
            failed: sample(text, "signalpost_deliveries_ended_total{status=\"failed\"}")?,
            retried: sample(text, "signalpost_retries_scheduled_total")?,
            ..Self::default()
        })
    }

    /// Counters of this process and of one that ended before.
    pub(super) const fn plus(self, before: Self) -> Self {
        Self {
            accepted: self.accepted + before.accepted,
            created: self.created + before.created,
            delivered: self.delivered + before.delivered,
            failed: self.failed + before.failed,
            retried: self.retried + before.retried,
            ..self
        }
    }
}

/// Time for which attempts have kept delivery cores, in seconds: first attempts, and those that repeat a failed one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WorkerTime {
    pub(super) first_s: f64,
    pub(super) again_s: f64,
}

impl WorkerTime {
    pub(super) async fn asked(connection: &mut Connection, by: &Letterhead) -> Result<Self, Failure> {
        Self::of_metrics(&connection.metrics(by).await?)
    }

    fn of_metrics(text: &str) -> Result<Self, Failure> {
        Ok(Self {
            first_s: sample(text, "signalpost_worker_seconds_total{class=\"first\"}")?,
            again_s: sample(text, "signalpost_worker_seconds_total{class=\"again\"}")?,
        })
    }

    pub(super) fn since(self, before: Self) -> Self {
        Self { first_s: self.first_s - before.first_s, again_s: self.again_s - before.again_s }
    }

    /// The part that first attempts had of all.
    pub(super) fn first_part(self) -> f64 {
        self.first_s / (self.first_s + self.again_s)
    }
}

fn sample<T: FromStr>(metrics: &str, name: &str) -> Result<T, Failure> {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.ok_or_else(|| Failure::new(format!("the metrics have no `{name}`")))
}

/// Lane groups that a server delivers for.
pub(super) fn lane_groups(metrics: &str) -> Result<u64, Failure> {
    sample(metrics, "signalpost_lane_groups_owned")
}

/// Counts the deliveries of a workspace in one state, page by page.
pub(super) async fn count_deliveries(
    connection: &mut Connection,
    by: &Letterhead,
    workspace: &str,
    status: &str,
) -> Result<u64, Failure> {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let path = format!("/v1/workspaces/{workspace}/deliveries?status={status}&limit=250{cursor}");
        let page = connection.get(by, &path).await?;
        let rows = page["data"].as_array().map(Vec::len);
        count += rows.ok_or_else(|| Failure::new(format!("a list has no `data`: {page}")))? as u64;
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_their_whole_name() {
        let text = "# TYPE signalpost_events_accepted_total counter\n\
            signalpost_events_accepted_total 5\nsignalpost_events_accepted_total_more 6\n\
            signalpost_deliveries_created_total 7\nsignalpost_deliveries_ended_total{status=\"delivered\"} 4\n\
            signalpost_deliveries_ended_total{status=\"failed\"} 1\nsignalpost_retries_scheduled_total 2\n";
        let told = Told::of_metrics(text).expect("all are there");
        let expected =
            Told { accepted: 5, created: 7, delivered: 4, failed: 1, retried: 2, ..Told::default() };
        assert_eq!(told, expected);
        assert_eq!(told.plus(told).created, 14);
        let text = "signalpost_worker_seconds_total{class=\"first\"} 6.5\n\
            signalpost_worker_seconds_total{class=\"again\"} 2\n";
        let worked = WorkerTime::of_metrics(text).expect("both are there");
        assert_eq!(worked, WorkerTime { first_s: 6.5, again_s: 2.0 });
        let since = worked.since(WorkerTime { first_s: 3.5, again_s: 1.0 });
        assert_eq!(since.first_part(), 0.75);
        assert!(Told::of_metrics("signalpost_events_accepted_total 5\n").is_err());
    }
}
