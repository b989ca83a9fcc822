//! What stays of spans that depart, and the tables that it is copied to.

use std::collections::{HashMap, HashSet};

use futures_util::future::{try_join, try_join_all};
use signalpost_core::id::WorkspaceId;
use signalpost_core::retention::{
    Fate, RetentionDefault, RetentionOverrides, RetentionRules, WorkspaceRetention,
};
use signalpost_core::time::Timestamp;
use signalpost_store::row::{Fields, retention, retention_default, targets};

use crate::failure::Failure;
use crate::retention::{Candidate, Judged, deliveries, judge};
use crate::session::Session;
use crate::write::Write;

/// One that is erased has no rules any more.
pub(crate) const SELECT_RULES: &str =
    "SELECT id, for_ever, event_age_s, payload_age_s, bytes_max FROM workspace
    WHERE id = ANY($1::bigint[]) AND erased_at IS NULL";
pub(crate) const COPY_MESSAGES: &str = "INSERT INTO message_carried SELECT m.* FROM unnest($1::bigint[]) AS k
    CROSS JOIN LATERAL (SELECT * FROM message m WHERE m.id = k OFFSET 0) AS m";
pub(crate) const COPY_ATTEMPTS: &str = "INSERT INTO attempt_carried
    SELECT a.* FROM unnest($1::bigint[], $2::bigint[]) AS k (webhook, event)
    CROSS JOIN LATERAL (SELECT * FROM attempt a WHERE a.webhook = k.webhook AND a.event = k.event OFFSET 0) AS a";
pub(crate) const INSERT_CARRIED: &str = "INSERT INTO carried (event) SELECT * FROM unnest($1::bigint[])";
/// One of many in a round trip, as in [`crate::retention`].
pub(crate) const TAKE_BACK_MESSAGE: &str = "DELETE FROM message_carried WHERE id = $1 RETURNING id, targets";
pub(crate) const TAKE_BACK_ATTEMPTS: &str = "DELETE FROM attempt_carried WHERE webhook = $1 AND event = $2";
pub(crate) const FORGET_CARRIED: &str = "DELETE FROM carried WHERE event = ANY($1::bigint[])";

/// Copies what stays of these events, whose workspaces are locked, and notes of the others' workspaces up to where they have
/// expired: before anybody misses the events.
pub(super) async fn take_over(
    write: &mut Write<'_>,
    events: &[Candidate],
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<(), Failure> {
    let rules = rules_of(write, events, rules).await?;
    let mut staying = Vec::new();
    for (event, judged) in events.iter().zip(judge(write, events).await?) {
        let fate = rules.fate(event, now);
        match judged {
            // One that is coming from another cell has no row here that could say for how long its events stay.
            _ if write.is_moving(event.workspace) => staying.push(event),
            Judged::Ended(_) if fate == Fate::Removed => write.expire(event.workspace, event.sequence),
            Judged::Ended(_) | Judged::Held => staying.push(event),
        }
    }
    copy(write, &staying).await
}

/// Takes back what was copied of these events.
pub(super) async fn take_back(session: &Session, events: &[i64]) -> Result<(), Failure> {
    let taken = try_join_all(events.iter().map(|event| take_back_message(session, event))).await?;
    let deliveries: Vec<(i64, i64)> = taken.into_iter().flatten().collect();
    let attempts = deliveries.iter().map(|(webhook, event)| take_back_attempts(session, webhook, event));
    try_join(try_join_all(attempts), session.execute(FORGET_CARRIED, &[&events])).await?;
    Ok(())
}

/// The webhooks of its deliveries, each with the event.
async fn take_back_message(session: &Session, event: &i64) -> Result<Vec<(i64, i64)>, Failure> {
    let taken = session
        .one(TAKE_BACK_MESSAGE, &[event], |row| {
            let mut fields = Fields::new(row, "message_carried", 1);
            fields.skip();
            targets(&mut fields)
        })
        .await?;
    let webhooks = taken.unwrap_or_default();
    Ok(webhooks.into_iter().map(|webhook| (webhook.raw(), *event)).collect())
}

async fn take_back_attempts(session: &Session, webhook: &i64, event: &i64) -> Result<u64, Failure> {
    session.execute(TAKE_BACK_ATTEMPTS, &[webhook, event]).await
}

async fn copy(session: &Session, staying: &[&Candidate]) -> Result<(), Failure> {
    if staying.is_empty() {
        return Ok(());
    }
    let events: Vec<i64> = staying.iter().map(|event| event.id).collect();
    // Of one that cannot be read nobody knows them: its row is all that stays of it, and that was told.
    let (webhooks, of): (Vec<i64>, Vec<i64>) = deliveries(staying).into_iter().unzip();
    session.execute(COPY_MESSAGES, &[&events]).await?;
    session.execute(COPY_ATTEMPTS, &[&webhooks, &of]).await?;
    session.execute(INSERT_CARRIED, &[&events]).await?;
    Ok(())
}

/// The rules in force for workspaces.
struct Rules {
    of: HashMap<WorkspaceId, WorkspaceRetention>,
    of_erased: WorkspaceRetention,
}

impl Rules {
    fn fate(&self, event: &Candidate, now: Timestamp) -> Fate {
        let rules = self.of.get(&event.workspace).unwrap_or(&self.of_erased);
        rules.fate(Timestamp::from_ms(event.accepted_at), now)
    }
}

async fn rules_of(session: &Session, events: &[Candidate], rules: &RetentionRules) -> Result<Rules, Failure> {
    let workspaces: HashSet<i64> = events.iter().map(|event| event.workspace.raw()).collect();
    let workspaces: Vec<i64> = workspaces.into_iter().collect();
    let found = session
        .all(SELECT_RULES, &[&workspaces], |row| {
            let mut fields = Fields::new(row, "workspace", 1);
            let workspace = WorkspaceId::from_raw(fields.id("id")?);
            let default = retention_default(&mut fields)?;
            Ok((workspace, rules.with(default, &retention(&mut fields)?)))
        })
        .await?;
    let of_erased = rules.with(RetentionDefault::Server, &RetentionOverrides::default());
    Ok(Rules { of: found.into_iter().collect(), of_erased })
}
