//! `due_lanes`: webhooks that are on and are owed something.
//!
//! A loose index scan: one step of the index for each webhook, whatever each is owed. Only for a webhook that
//! was cut, and until it is swept, rows that the cut has ended are stepped over. One that is off, or whose first row waits for
//! others of its key, is passed over with all that it holds.

use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{DueLane, DueLanes};

use crate::failure::Failure;
use crate::session::Session;
use signalpost_store::row::{Fields, HELD_AT};

pub(crate) const SELECT_NEXT: &str = "SELECT webhook, due_at, event, born,
        (SELECT max(upto) FROM cut WHERE cut.webhook = due.webhook),
        (SELECT disabled_at FROM webhook WHERE webhook.id = due.webhook)
    FROM due WHERE webhook > $1 ORDER BY webhook, due_at, event LIMIT 1";
pub(crate) const SELECT_FIRST_LIVING: &str = "SELECT webhook, due_at, event FROM due
    WHERE webhook = $1 AND due_at < $3 AND born > $2 ORDER BY due_at, event LIMIT 1";

/// The first row of a webhook in `due`.
struct First {
    webhook: WebhookId,
    due_at: Timestamp,
    born: i64,
    cut_upto: Option<i64>,
    disabled_at: Option<Timestamp>,
}

pub(super) async fn run(session: &Session, params: DueLanes) -> Result<Vec<DueLane>, Failure> {
    let mut after = params.after.map_or(i64::MIN, |after| after.raw());
    let mut lanes = Vec::new();
    while lanes.len() < params.limit {
        let Some(first) = next_webhook(session, after).await? else { break };
        after = first.webhook.raw();
        if first.disabled_at.is_some() || first.due_at >= Timestamp::from_ms(HELD_AT) {
            continue;
        }
        let first_due_at = match first.cut_upto {
            Some(upto) if first.born <= upto => first_living(session, first.webhook, upto).await?,
            _ => Some(first.due_at),
        };
        lanes.extend(first_due_at.map(|first_due_at| DueLane { webhook: first.webhook, first_due_at }));
    }
    Ok(lanes)
}

async fn next_webhook(session: &Session, after: i64) -> Result<Option<First>, Failure> {
    let found = session
        .one(SELECT_NEXT, &[&after], |row| {
            let mut fields = Fields::new(row, "due", 3);
            let webhook = WebhookId::from_raw(fields.id("webhook")?);
            let due_at = fields.time("due_at")?;
            fields.skip();
            let born = fields.integer("born")?;
            let cut_upto = fields.optional_integer("upto")?;
            Ok(First { webhook, due_at, born, cut_upto, disabled_at: fields.optional_time("disabled_at")? })
        })
        .await?;
    Ok(found)
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
