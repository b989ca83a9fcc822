//! Making the tables of the time to come.
//!
//! Nobody waits for it but for moments: they are made empty, and PostgreSQL knows by their checks what they will hold. What it
//! reads meanwhile is what lies in no span, which is nothing as a rule.

use signalpost_core::limits::PARTITIONS_MAX;
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::row::Fields;

use super::plan::{self, Range};
use super::tables::{self, Place};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT_LAST: &str = "SELECT max(ended), count(*) FROM span";
pub(crate) const SELECT_IN_NONE: &str =
    "SELECT coalesce((SELECT id FROM message_other ORDER BY id DESC LIMIT 1), 0)";
pub(crate) const SELECT_UNCOVERED: &str =
    "SELECT s.ended, t.tomorrow FROM (SELECT max(ended) AS ended FROM span) AS s
    CROSS JOIN (SELECT ((extract(epoch FROM now())::bigint + 24 * 3600) * 1000) << 22 AS tomorrow) AS t
    WHERE s.ended < t.tomorrow";
pub(crate) const INSERT_BEFORE: &str =
    "INSERT INTO span (first, ended, kind) VALUES ($1, $2, 'before') RETURNING number";
pub(crate) const INSERT: &str =
    "INSERT INTO span (first, ended, kind) VALUES ($1, $2, 'ahead') RETURNING number";

/// Makes the next span, if it is time for it.
pub(super) async fn next(session: &Session, now: Timestamp, rules: &RetentionRules) -> Result<bool, Failure> {
    let last = session.one(SELECT_LAST, &[], |row| {
        let mut fields = Fields::new(row, "span", 0);
        Ok((fields.optional_integer("ended")?.unwrap_or(i64::MIN), fields.count::<u64>("count")?))
    });
    let (last_ended, spans) = last.await?.unwrap_or((i64::MIN, 0));
    if spans >= PARTITIONS_MAX {
        return Ok(false);
    }
    let in_none = session.number(SELECT_IN_NONE, &[]).await?;
    let Some(range) = plan::next(last_ended, in_none, now, rules) else { return Ok(false) };
    make(session, range).await?;
    Ok(true)
}

/// Has a table for all that another store may bring: it has come before the next day has ended. Nothing is stored yet.
pub(crate) async fn cover_what_was_before(session: &Session) -> Result<(), Failure> {
    let cover = session.one(SELECT_UNCOVERED, &[], |row| {
        let mut fields = Fields::new(row, "span", 0);
        Ok(Range { first: fields.integer("first")?, ended: fields.integer("ended")? })
    });
    let Some(range) = cover.await? else { return Ok(()) };
    let number = session.number(INSERT_BEFORE, &[&range.first, &range.ended]).await?;
    tables::create(session, number, range, Place::Served).await
}

async fn make(session: &Session, range: Range) -> Result<(), Failure> {
    tables::hurry(session).await?;
    let number = session.number(INSERT, &[&range.first, &range.ended]).await?;
    tables::create(session, number, range, Place::Served).await?;
    tracing::debug!(number, "tables for events to come were made");
    Ok(())
}
