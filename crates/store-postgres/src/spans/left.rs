//! Which old events are left to their tables, and do not go row by row.

use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::row::Fields;

use super::plan;
use crate::pool::Pool;
use crate::session::Session;
use crate::work::read;

pub(crate) const SELECT: &str = "SELECT min(first) FROM span WHERE kind = 'ahead' AND ended - first <= $1";

/// A table that was made under other rules, and is wider than so many of theirs, would keep its events for too long.
const WIDTHS_MAX: i64 = 2;
/// Nobody waits longer than for the time of so many tables for one that cannot go: somebody has it, or an id is ahead of its time.
const WIDTHS_LATE: i64 = 2;

/// Events of tables that go as a whole, while they are not late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftToTables {
    first: i64,
    accepted_after: i64,
}

impl LeftToTables {
    pub(crate) const NONE: Self = Self { first: i64::MAX, accepted_after: i64::MAX };

    /// By these rules; of events that are so old by the server's age.
    pub(crate) async fn read(
        pool: &Pool,
        now: Timestamp,
        rules: &RetentionRules,
    ) -> Result<Self, StoreError> {
        let (Some(width_ms), Some(age_ms)) = (plan::width_ms(rules), plan::age_ms(rules)) else {
            return Ok(Self::NONE);
        };
        let late_ms = age_ms.saturating_add(WIDTHS_LATE * width_ms);
        let widest = plan::ids_of(WIDTHS_MAX * width_ms);
        let oldest = async |session: &Session| {
            session.one(SELECT, &[&widest], |row| Fields::new(row, "span", 0).optional_integer("first")).await
        };
        let first = read(pool, oldest).await?.flatten().unwrap_or(i64::MAX);
        Ok(Self { first, accepted_after: now.as_ms().saturating_sub(late_ms) })
    }

    pub(crate) const fn has(&self, event: i64, accepted_at: Timestamp) -> bool {
        event >= self.first && accepted_at.as_ms() > self.accepted_after
    }
}
