//! How patient deliveries are, as callers write it: in the policy of a workspace and in a webhook.

use std::time::Duration;

use signalpost_core::policy::{RetrySchedule, check_timeout_ms};

use crate::kit::fields::{Fields, Whole};

/// The member `retry_schedule_s` of a merge patch.
pub(super) fn retry(fields: &mut Fields<'_>) -> Option<Option<RetrySchedule>> {
    fields.merged("retry_schedule_s", "an array of whole seconds", |delays: Vec<Whole>| {
        let delays: Vec<u64> = delays.into_iter().map(|Whole(seconds)| seconds).collect();
        RetrySchedule::from_seconds(&delays)
    })
}

/// The member `timeout_ms` of a merge patch.
pub(super) fn timeout(fields: &mut Fields<'_>) -> Option<Option<Duration>> {
    fields.merged("timeout_ms", "a whole number of milliseconds", |Whole(ms)| check_timeout_ms(ms))
}
