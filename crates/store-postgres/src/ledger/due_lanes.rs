//! `due_lanes`: webhooks that are on and are owed something.
//!
//! A loose index scan: one step of the index for each webhook, whatever each is owed, and all steps within one statement.
//! Only for a webhook that was cut, and until it is swept, rows that the cut has ended are stepped over. One that is off or moving,
//! or whose first row waits for others of its key, is passed over with all that it holds.

use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::{DueLane, DueLanes};
use signalpost_store::row::{Fields, HELD_AT, Row};

use crate::failure::Failure;
use crate::session::{Session, limit};

/// The recursion goes no further than the rows that are taken.
pub(crate) const SELECT: &str = "WITH RECURSIVE first AS (
        (SELECT webhook, due_at, born FROM due WHERE webhook > $1 ORDER BY webhook, due_at, event LIMIT 1)
        UNION ALL
        SELECT next.* FROM first CROSS JOIN LATERAL (
            SELECT d.webhook, d.due_at, d.born FROM due d WHERE d.webhook > first.webhook
            ORDER BY d.webhook, d.due_at, d.event LIMIT 1) AS next)
    SELECT first.webhook, first.due_at, first.born,
        (SELECT max(upto) FROM cut WHERE cut.webhook = first.webhook)
    FROM first
    WHERE first.due_at < $2 AND NOT EXISTS (
        SELECT 1 FROM webhook h WHERE h.id = first.webhook AND h.disabled_at IS NOT NULL OFFSET 0)
        AND NOT EXISTS (SELECT 1 FROM moving_part v WHERE v.kind = 'webhook' AND v.id = first.webhook OFFSET 0)
    LIMIT $3";
pub(crate) const SELECT_FIRST_LIVING: &str = "SELECT webhook, due_at, event FROM due
    WHERE webhook = $1 AND due_at < $3 AND born > $2 ORDER BY due_at, event LIMIT 1";

/// The first row of a webhook in `due`.
struct First {
    webhook: WebhookId,
    due_at: Timestamp,
    born: i64,
    cut_upto: Option<i64>,
}

/// Fewer than are asked for are the last ones, and none is the end: behind a page of webhooks that owe nothing living another
/// page is read.
pub(super) async fn run(session: &Session, params: DueLanes) -> Result<Vec<DueLane>, Failure> {
    let mut after = params.after.map_or(i64::MIN, |after| after.raw());
    let mut lanes = Vec::new();
    loop {
        let page = session.all(SELECT, &[&after, &HELD_AT, &limit(params.limit)], first).await?;
        for first in &page {
            after = first.webhook.raw();
            let first_due_at = match first.cut_upto {
                Some(upto) if first.born <= upto => first_living(session, first.webhook, upto).await?,
                _ => Some(first.due_at),
            };
            lanes.extend(first_due_at.map(|first_due_at| DueLane { webhook: first.webhook, first_due_at }));
            if lanes.len() == params.limit {
                return Ok(lanes);
            }
        }
        if page.len() < params.limit {
            return Ok(lanes);
        }
    }
}

fn first(row: &Row<'_>) -> Result<First, StoreError> {
    let mut fields = Fields::new(row, "due", 1);
    Ok(First {
        webhook: WebhookId::from_raw(fields.id("webhook")?),
        due_at: fields.time("due_at")?,
        born: fields.integer("born")?,
        cut_upto: fields.optional_integer("upto")?,
    })
}

async fn first_living(
    session: &Session,
    webhook: WebhookId,
    upto: i64,
) -> Result<Option<Timestamp>, Failure> {
    let found = session
        .one(SELECT_FIRST_LIVING, &[&webhook.raw(), &upto, &HELD_AT], |row| {
            let mut fields = Fields::new(row, "due", 3);
            fields.skip();
            fields.time("due_at")
        })
        .await?;
    Ok(found)
}
