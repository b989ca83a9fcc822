//! How long history is kept, and how much of it.

use std::time::Duration;

/// Bounds on what is kept; `None` is no bound. Whatever is still pending is kept in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionRules {
    /// Events with their deliveries and attempts, by the event's age.
    pub event_age_max: Option<Duration>,
    /// Payloads alone, which may go before the record that they were sent.
    pub payload_age_max: Option<Duration>,
    /// Bytes stored, the oldest going first.
    pub bytes_max: Option<u64>,
}

/// What a workspace changes of the global rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionOverrides {
    pub event_age_max: Option<Duration>,
    pub payload_age_max: Option<Duration>,
    pub bytes_max: Option<u64>,
}
