//! Writing attempts down, many at once, and taking away the rows that they were owed by.

use std::collections::HashSet;

use signalpost_core::attempt::{Attempt, Outcome, Verdict};
use signalpost_core::delivery::Due;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::Finished;
use signalpost_store::pack::pack_detail;
use signalpost_store::row::{Fields, verdict_code};
use signalpost_store::weight;

use crate::failure::Failure;
use crate::session::{Params, Session};
use crate::write::Write;

/// Of events that exist. Does nothing where the number is taken, which is how a repeated verb is recognised.
pub(crate) const INSERT: &str =
    "INSERT INTO attempt (webhook, event, n, at, verdict, outcome, retry_at, detail)
    SELECT k.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
            $7::bigint[], $8::bytea[]) AS k (webhook, event, n, at, verdict, outcome, retry_at, detail)
        CROSS JOIN LATERAL (SELECT 1 FROM message m WHERE m.id = k.event OFFSET 0) AS m
    ON CONFLICT (webhook, event, n) DO NOTHING RETURNING webhook, event";
pub(crate) const SELECT_EVENTS: &str = "SELECT m.id FROM unnest($1::bigint[]) AS k
    CROSS JOIN LATERAL (SELECT m.id FROM message m WHERE m.id = k OFFSET 0) AS m";
/// By whole keys. The rows are looked up one by one, whatever the planner thinks of the table's size.
pub(crate) const DELETE_DUE: &str = "DELETE FROM due WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (webhook, due_at, event)
    CROSS JOIN LATERAL (SELECT d.ctid FROM due d
        WHERE d.webhook = k.webhook AND d.due_at = k.due_at AND d.event = k.event OFFSET 0) AS d))";

/// What became of an attempt that was to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Recorded,
    /// Its number is taken.
    Taken,
    /// Retention has removed the event.
    Gone,
}

/// Attempts that are to be written down, of each delivery one.
pub(super) struct Rows(Vec<Row>);

impl Rows {
    pub(super) fn of(wave: &[&Finished]) -> Self {
        Self(wave.iter().map(|one| Row::of(one, one.attempt.number, one.attempt.verdict)).collect())
    }

    /// Those that were written.
    pub(super) async fn insert(&self, session: &Session) -> Result<HashSet<(i64, i64)>, Failure> {
        insert(session, &self.0).await
    }

    /// What became of each, when these were written.
    pub(super) async fn fates(
        &self,
        session: &Session,
        written: &HashSet<(i64, i64)>,
    ) -> Result<Vec<Fate>, Failure> {
        if written.len() == self.0.len() {
            return Ok(vec![Fate::Recorded; written.len()]);
        }
        let events: Vec<i64> = self.0.iter().map(|row| row.event).collect();
        let id = |row: &signalpost_store::row::Row<'_>| Fields::new(row, "message", 1).integer("id");
        let there: HashSet<i64> = session.all(SELECT_EVENTS, &[&events], id).await?.into_iter().collect();
        let fate = |row: &Row| match (written.contains(&(row.webhook, row.event)), there.contains(&row.event))
        {
            (true, _) => Fate::Recorded,
            (false, true) => Fate::Taken,
            (false, false) => Fate::Gone,
        };
        Ok(self.0.iter().map(fate).collect())
    }

    /// Counts what was written.
    pub(super) fn count(&self, write: &mut Write<'_>, wave: &[&Finished], fates: &[Fate]) {
        for ((one, row), fate) in wave.iter().zip(&self.0).zip(fates) {
            if *fate == Fate::Recorded {
                write.count(one.workspace, 0, weight::of_step(row.detail.len()));
            }
        }
    }
}

/// Writes an attempt down in a place that was found to be free; `false` when somebody has taken it meanwhile.
pub(super) async fn insert_one(
    write: &mut Write<'_>,
    one: &Finished,
    number: u32,
    verdict: Verdict,
) -> Result<bool, Failure> {
    let row = Row::of(one, number, verdict);
    let is_written = !insert(write, std::slice::from_ref(&row)).await?.is_empty();
    if is_written {
        write.count(one.workspace, 0, weight::of_step(row.detail.len()));
    }
    Ok(is_written)
}

/// A row of `attempt`.
struct Row {
    webhook: i64,
    event: i64,
    number: i64,
    at: i64,
    verdict: i64,
    outcome: String,
    retry_at: Option<i64>,
    detail: Vec<u8>,
}

impl Row {
    fn of(one: &Finished, number: u32, verdict: Verdict) -> Self {
        let Attempt { at, timing, .. } = one.attempt;
        let timing_us =
            [timing.dns_us, timing.connect_us, timing.tls_us, timing.first_byte_us, timing.total_us];
        let attempt = &one.attempt;
        Self {
            webhook: one.due.id.webhook.raw(),
            event: one.due.id.event.raw(),
            number: number.into(),
            at: at.as_ms(),
            verdict: verdict_code(verdict),
            outcome: match attempt.outcome {
                Outcome::Status(status) => status.to_string(),
                Outcome::Failed(failure) => failure.name().to_owned(),
            },
            retry_at: verdict.next_at().map(Timestamp::as_ms),
            detail: pack_detail(timing_us, &attempt.detail, &attempt.request_headers, &attempt.answer),
        }
    }
}

/// In the order of their events, as replays go through a plan: neither waits for the other then.
async fn insert(session: &Session, rows: &[Row]) -> Result<HashSet<(i64, i64)>, Failure> {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| (row.event, row.webhook));
    let numbers = |of: fn(&Row) -> i64| rows.iter().map(|row| of(row)).collect::<Vec<i64>>();
    let outcomes: Vec<&str> = rows.iter().map(|row| row.outcome.as_str()).collect();
    let retries: Vec<Option<i64>> = rows.iter().map(|row| row.retry_at).collect();
    let details: Vec<&[u8]> = rows.iter().map(|row| row.detail.as_slice()).collect();
    let (webhooks, events) = (numbers(|row| row.webhook), numbers(|row| row.event));
    let (places, times) = (numbers(|row| row.number), numbers(|row| row.at));
    let verdicts = numbers(|row| row.verdict);
    let columns: Params<'_> =
        &[&webhooks, &events, &places, &times, &verdicts, &outcomes, &retries, &details];
    let written = session.all(INSERT, columns, |row| {
        let mut fields = Fields::new(row, "attempt", 2);
        Ok((fields.integer("webhook")?, fields.integer("event")?))
    });
    Ok(written.await?.into_iter().collect())
}

/// Takes away what deliveries were owed by.
pub(super) async fn delete_due(
    session: &Session,
    rows: impl IntoIterator<Item = Due>,
) -> Result<(), Failure> {
    let (mut webhooks, mut due_at, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for due in rows {
        webhooks.push(due.id.webhook.raw());
        due_at.push(due.due_at.as_ms());
        events.push(due.id.event.raw());
    }
    if !events.is_empty() {
        session.execute(DELETE_DUE, &[&webhooks, &due_at, &events]).await?;
    }
    Ok(())
}
