//! How much waits for a webhook, told before somebody drops it.

use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::Error;
use signalpost_core::webhook::Webhook;
use signalpost_engine::{Engine, ListDeliveries};

use crate::look::numbers;

/// Pending deliveries that are counted.
const COUNTED_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    count: usize,
    /// Whether there are more than were counted.
    more: bool,
}

impl Pending {
    pub(super) async fn of(engine: &Engine, webhook: &Webhook) -> Result<Self, Error> {
        let wanted = ListDeliveries {
            workspace: webhook.workspace,
            webhook: Some(webhook.id),
            event: None,
            status: Some(DeliveryStatus::Pending),
            before: None,
            limit: COUNTED_MAX,
        };
        let found = engine.list_deliveries(wanted).await?;
        Ok(Self { count: found.rows.len(), more: found.next.is_some() })
    }

    pub(super) const fn is_none(self) -> bool {
        self.count == 0 && !self.more
    }

    /// `12 deliveries`, `at least 1,000 deliveries`.
    pub(super) fn number(self) -> String {
        let count = numbers::count(self.count as u64);
        match (count.as_str(), self.more) {
            ("1", false) => "1 delivery".to_owned(),
            (count, false) => format!("{count} deliveries"),
            (count, true) => format!("at least {count} deliveries"),
        }
    }

    /// The beginning of a sentence about them, up to its verb.
    pub(super) fn subject(self) -> String {
        let count = numbers::count(self.count as u64);
        match (count.as_str(), self.more) {
            ("1", false) => "1 delivery that is pending is".to_owned(),
            (count, false) => format!("{count} deliveries that are pending are"),
            (count, true) => format!("At least {count} deliveries that are pending are"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_as_far_as_it_was_counted() {
        let told = |count, more| {
            let pending = Pending { count, more };
            (pending.is_none(), pending.number(), pending.subject())
        };
        let said = |is_none, number: &str, subject: &str| (is_none, number.to_owned(), subject.to_owned());
        assert_eq!(told(0, false), said(true, "0 deliveries", "0 deliveries that are pending are"));
        assert_eq!(told(1, false), said(false, "1 delivery", "1 delivery that is pending is"));
        assert_eq!(told(12, false), said(false, "12 deliveries", "12 deliveries that are pending are"));
        let many = ("at least 1,000 deliveries", "At least 1,000 deliveries that are pending are");
        assert_eq!(told(1_000, true), said(false, many.0, many.1));
    }
}
