//! What a workspace has in place of the server's rules, and a webhook in place of its workspace's.

use std::time::Duration;

use signalpost_core::health::{HoldAfter, ReleaseOrder};
use signalpost_core::policy::{PolicyOverrides, RetrySchedule};
use signalpost_core::retention::RetentionOverrides;

use super::{Field, Fields};

pub(super) fn hold_after(fields: &mut Fields<'_>) -> Field<Option<HoldAfter>> {
    let rule = fields.optional_count("hold_after_s")?.map(HoldAfter::from_seconds).transpose();
    rule.map_err(|problem| fields.corrupt("hold_after_s", problem))
}

pub(super) fn release(fields: &mut Fields<'_>) -> Field<Option<ReleaseOrder>> {
    let Some(name) = fields.optional_text("release_order")? else { return Ok(None) };
    let order = ReleaseOrder::from_name(name).ok_or_else(|| format!("unknown order {name:?}"));
    order.map(Some).map_err(|problem| fields.corrupt("release_order", problem))
}

pub(super) fn policy(fields: &mut Fields<'_>) -> Field<PolicyOverrides> {
    let (retry, timeout) = (optional_schedule(fields)?, optional_timeout(fields)?);
    Ok(PolicyOverrides { retry, timeout, retention: retention(fields)?, ..PolicyOverrides::default() })
}

pub(super) fn optional_schedule(fields: &mut Fields<'_>) -> Field<Option<RetrySchedule>> {
    let Some(text) = fields.optional_text("retry_schedule")? else { return Ok(None) };
    parse_schedule(text).map(Some).map_err(|problem| fields.corrupt("retry_schedule", problem))
}

pub(super) fn optional_timeout(fields: &mut Fields<'_>) -> Field<Option<Duration>> {
    Ok(fields.optional_count("timeout_ms")?.map(Duration::from_millis))
}

/// The next three columns as a workspace's own rules of retention.
pub fn retention(fields: &mut Fields<'_>) -> Field<RetentionOverrides> {
    Ok(RetentionOverrides {
        event_age_max: fields.optional_count("event_age_s")?.map(Duration::from_secs),
        payload_age_max: fields.optional_count("payload_age_s")?.map(Duration::from_secs),
        bytes_max: fields.optional_count("bytes_max")?,
    })
}

/// Seconds with commas between them.
pub(super) fn write_schedule(schedule: &RetrySchedule) -> String {
    schedule.as_seconds().iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

fn parse_schedule(text: &str) -> Result<RetrySchedule, String> {
    let parse = |delay: &str| delay.parse::<u64>().map_err(|error| format!("{delay:?}: {error}"));
    let delays = text.split(',').filter(|delay| !delay.is_empty()).map(parse);
    RetrySchedule::from_seconds(&delays.collect::<Result<Vec<_>, String>>()?)
}

/// A workspace's own rules as they are stored.
pub struct PolicyColumns {
    pub retry_schedule: Option<String>,
    pub timeout_ms: Option<i64>,
    pub event_age_s: Option<i64>,
    pub payload_age_s: Option<i64>,
    pub bytes_max: Option<i64>,
    pub hold_after_s: Option<i64>,
    pub release_order: Option<&'static str>,
}

impl PolicyColumns {
    pub fn of(policy: &PolicyOverrides) -> Self {
        let RetentionOverrides { event_age_max, payload_age_max, bytes_max } = &policy.retention;
        // Ages are whole seconds, see [`signalpost_core::retention::check_age_s`].
        let seconds = |age: &Option<Duration>| age.map(|age| saturated(age.as_secs()));
        Self {
            retry_schedule: policy.retry.as_ref().map(write_schedule),
            timeout_ms: timeout_column(policy.timeout),
            event_age_s: seconds(event_age_max),
            payload_age_s: seconds(payload_age_max),
            bytes_max: bytes_max.map(saturated),
            hold_after_s: policy.hold_after.map(|after| saturated(after.as_seconds())),
            release_order: policy.release.map(ReleaseOrder::name),
        }
    }
}

/// Limits are whole milliseconds, see [`signalpost_core::policy::check_timeout_ms`].
pub(super) fn timeout_column(timeout: Option<Duration>) -> Option<i64> {
    timeout.map(|timeout| saturated(timeout.as_millis()))
}

fn saturated(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_return_as_they_were_written() {
        for seconds in [&[][..], &[0], &[5, 0, 86_400]] {
            let schedule = RetrySchedule::from_seconds(seconds).expect("in bounds");
            assert_eq!(parse_schedule(&write_schedule(&schedule)), Ok(schedule));
        }
        for bad in ["x", "1,-2", "86401", "1 2"] {
            assert!(parse_schedule(bad).is_err(), "{bad}");
        }
    }
}
