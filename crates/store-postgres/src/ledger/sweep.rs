//! Removing what a cut has ended from `due`, in bounded steps. What goes without an attempt is noted in `dropped`.
//!
//! Nothing waits for it: every read leaves such rows out by the cut itself.

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::session::{Session, limit};
use crate::write::Write;

/// What is owed to one that is moving stays as it is. The row is locked, so that two nodes do not take the same step, and no cut begins the sweep anew meanwhile.
pub(crate) const SELECT_FIRST: &str = "SELECT webhook, due_at, event FROM sweep s
    WHERE NOT EXISTS (SELECT 1 FROM moving_part v WHERE v.kind = 'webhook' AND v.id = s.webhook OFFSET 0)
    ORDER BY webhook LIMIT 1 FOR UPDATE SKIP LOCKED";
/// Behind that lock: a statement sees only cuts that were committed before it began.
pub(crate) const SELECT_CUT_UPTO: &str =
    "SELECT coalesce(max(upto), -9223372036854775808) FROM cut WHERE webhook = $1";
pub(crate) const SELECT_ROWS: &str = "SELECT webhook, due_at, event, born FROM due
    WHERE webhook = $1 AND (due_at, event) > ($2, $3) ORDER BY due_at, event LIMIT $4";
/// What an outcome is about to delete is passed over: it goes without us, and whoever deletes it may wait for our lock.
pub(crate) const DELETE_ROWS: &str = "DELETE FROM due WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($2::bigint[], $3::bigint[]) AS k (due_at, event)
    CROSS JOIN LATERAL (SELECT d.ctid FROM due d
        WHERE d.webhook = $1 AND d.due_at = k.due_at AND d.event = k.event AND d.born <= $4
        OFFSET 0 FOR UPDATE SKIP LOCKED) AS d))";
/// Of events that stay until the commit: retention would not look for a row that comes after it.
pub(crate) const INSERT_DROPPED: &str = "INSERT INTO dropped (webhook, event)
    SELECT $1, k.event FROM unnest($2::bigint[]) AS k (event)
    CROSS JOIN LATERAL (SELECT 1 FROM message m WHERE m.id = k.event OFFSET 0 FOR KEY SHARE) AS m
    WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.webhook = $1 AND a.event = k.event)
    ON CONFLICT DO NOTHING";
pub(crate) const UPDATE: &str = "UPDATE sweep SET due_at = $2, event = $3 WHERE webhook = $1";
pub(crate) const DELETE: &str = "DELETE FROM sweep WHERE webhook = $1";
pub(crate) const ANY: &str = "SELECT 1 FROM sweep s
    WHERE NOT EXISTS (SELECT 1 FROM moving_part v WHERE v.kind = 'webhook' AND v.id = s.webhook OFFSET 0) LIMIT 1";

/// A webhook to look through, from behind a row on.
struct Sweep {
    webhook: i64,
    due_at: i64,
    event: i64,
}

struct Row {
    due_at: i64,
    event: i64,
    born: i64,
}

pub(super) async fn is_wanted(session: &Session) -> Result<bool, Failure> {
    session.exists(ANY, &[]).await
}

/// Looks at up to [`UPKEEP_ROWS_MAX`] rows of one webhook and removes those that a cut has ended; `false` when there is
/// nothing to look at.
pub(super) async fn step(write: &Write<'_>) -> Result<bool, Failure> {
    let Some(sweep) = first(write).await? else { return Ok(false) };
    let cut_upto = write.number(SELECT_CUT_UPTO, &[&sweep.webhook]).await?;
    let rows = rows(write, &sweep).await?;
    let ended = || rows.iter().filter(|row| row.born <= cut_upto);
    let due_at: Vec<i64> = ended().map(|row| row.due_at).collect();
    let events: Vec<i64> = ended().map(|row| row.event).collect();
    if !events.is_empty() {
        write.execute(DELETE_ROWS, &[&sweep.webhook, &due_at, &events, &cut_upto]).await?;
        write.execute(INSERT_DROPPED, &[&sweep.webhook, &events]).await?;
    }
    match rows.last() {
        // New rows behind this place are above the cut, so it need not be looked at again.
        Some(last) if rows.len() == UPKEEP_ROWS_MAX => {
            write.execute(UPDATE, &[&sweep.webhook, &last.due_at, &last.event]).await?;
        }
        _ => {
            write.execute(DELETE, &[&sweep.webhook]).await?;
        }
    }
    Ok(true)
}

async fn first(session: &Session) -> Result<Option<Sweep>, Failure> {
    let found = session
        .one(SELECT_FIRST, &[], |row| {
            let mut fields = Fields::new(row, "sweep", 1);
            Ok(Sweep {
                webhook: fields.integer("webhook")?,
                due_at: fields.integer("due_at")?,
                event: fields.integer("event")?,
            })
        })
        .await?;
    Ok(found)
}

async fn rows(session: &Session, sweep: &Sweep) -> Result<Vec<Row>, Failure> {
    let page = (sweep.webhook, sweep.due_at, sweep.event, limit(UPKEEP_ROWS_MAX));
    let found = session
        .all(SELECT_ROWS, &[&page.0, &page.1, &page.2, &page.3], |row| {
            let mut fields = Fields::new(row, "due", 3);
            fields.skip();
            let (due_at, event) = (fields.integer("due_at")?, fields.integer("event")?);
            Ok(Row { due_at, event, born: fields.integer("born")? })
        })
        .await?;
    Ok(found)
}
