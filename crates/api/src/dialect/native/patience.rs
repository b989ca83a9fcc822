//! How patient deliveries are, as callers write it, in the policy of a workspace and in a webhook; and what that permits at
//! most.

use std::time::Duration;

use signalpost_core::ceilings::{CeilingsChange, MaxInFlight};
use signalpost_core::pace::Rate;
use signalpost_core::policy::{RetrySchedule, check_timeout_ms};

use crate::kit::fields::{Fields, Whole};

/// The member `retry_schedule_s` of a merge patch.
pub(super) fn retry(fields: &mut Fields<'_>) -> Option<Option<RetrySchedule>> {
    fields.merged("retry_schedule_s", "an array of whole seconds", |delays: Vec<Whole>| {
        let delays: Vec<u64> = delays.into_iter().map(|Whole(seconds)| seconds).collect();
        RetrySchedule::from_seconds(&delays)
    })
}

/// The members `max_in_flight` and `rate_per_second` of a merge patch.
pub(super) fn ceilings(fields: &mut Fields<'_>) -> CeilingsChange {
    // A number that does not fit is as far out of bounds as any.
    let number = |Whole(number)| u32::try_from(number).unwrap_or(u32::MAX);
    let expected = "a whole number";
    CeilingsChange {
        in_flight: fields.merged("max_in_flight", expected, |whole| MaxInFlight::new(number(whole))),
        rate: fields.merged("rate_per_second", expected, |whole| Rate::per_second(number(whole))),
    }
}

/// The member `timeout_ms` of a merge patch.
pub(super) fn timeout(fields: &mut Fields<'_>) -> Option<Option<Duration>> {
    fields.merged("timeout_ms", "a whole number of milliseconds", |Whole(ms)| check_timeout_ms(ms))
}
