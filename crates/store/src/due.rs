//! What is asked of what is owed.

use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct DueLanes {
    pub after: Option<WebhookId>,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueLane {
    pub webhook: WebhookId,
    pub first_due_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct DuePage {
    pub webhook: WebhookId,
    pub limit: usize,
    pub order: DueOrder,
}

/// By due time and then event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueOrder {
    /// Of what is due from then on. Whoever knows what was due before saves the store to go through what is left of it.
    OldestFirst { from: Timestamp },
    /// Of what is due by then.
    NewestFirst { until: Timestamp },
}

impl DueOrder {
    /// Of all that is owed.
    pub const OLDEST_FIRST: Self = Self::OldestFirst { from: Timestamp::from_ms(i64::MIN) };
}
