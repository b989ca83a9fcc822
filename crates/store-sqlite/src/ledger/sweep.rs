//! Removing what a cut has ended from `due`, in bounded steps.
//!
//! Nothing waits for it: every read leaves such rows out by the cut itself.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;

use super::finish::DELETE_DUE;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, fetch_one};
use crate::write::Write;
use signalpost_store::row::Fields;

pub(crate) const SELECT_FIRST: &str = "SELECT webhook, due_at, event,
        (SELECT max(upto) FROM cut WHERE cut.webhook = sweep.webhook)
    FROM sweep ORDER BY webhook LIMIT 1";
pub(crate) const SELECT_ROWS: &str = "SELECT webhook, due_at, event, born FROM due
    WHERE webhook = ?1 AND (due_at, event) > (?2, ?3) ORDER BY due_at, event LIMIT ?4";
pub(crate) const UPDATE: &str = "UPDATE sweep SET due_at = ?2, event = ?3 WHERE webhook = ?1";
pub(crate) const DELETE: &str = "DELETE FROM sweep WHERE webhook = ?1";
pub(crate) const ANY: &str = "SELECT 1 FROM sweep LIMIT 1";

/// A webhook to look through, from behind a row on.
struct Sweep {
    webhook: i64,
    due_at: i64,
    event: i64,
    cut_upto: i64,
}

struct Row {
    due_at: i64,
    event: i64,
    born: i64,
}

pub(crate) fn is_wanted(write: &Write<'_>) -> Result<bool, Failure> {
    exists(write.connection, ANY, [])
}

/// Looks at up to [`UPKEEP_ROWS_MAX`] rows of one webhook and deletes those that a cut has ended. Returns how many it
/// looked at.
pub(crate) fn step(write: &Write<'_>) -> Result<usize, Failure> {
    let Some(sweep) = first(write)? else { return Ok(0) };
    let rows = rows(write, &sweep)?;
    let mut delete = write.statement(DELETE_DUE)?;
    for ended in rows.iter().filter(|row| row.born <= sweep.cut_upto) {
        delete.execute([sweep.webhook, ended.due_at, ended.event])?;
    }
    match rows.last() {
        // New rows behind this place are above the cut, so it need not be looked at again.
        Some(last) if rows.len() == UPKEEP_ROWS_MAX => {
            write.statement(UPDATE)?.execute([sweep.webhook, last.due_at, last.event])?;
        }
        _ => {
            write.statement(DELETE)?.execute([sweep.webhook])?;
        }
    }
    Ok(rows.len())
}

fn first(write: &Write<'_>) -> Result<Option<Sweep>, Failure> {
    fetch_one(write.connection, SELECT_FIRST, [], |row| {
        let mut fields = Fields::new(row, "sweep", 1);
        Ok(Sweep {
            webhook: fields.integer("webhook")?,
            due_at: fields.integer("due_at")?,
            event: fields.integer("event")?,
            cut_upto: fields.integer("upto")?,
        })
    })
}

fn rows(write: &Write<'_>, sweep: &Sweep) -> Result<Vec<Row>, Failure> {
    let rows_max = i64::try_from(UPKEEP_ROWS_MAX).expect("small");
    let values = params![sweep.webhook, sweep.due_at, sweep.event, rows_max];
    fetch_all(write.connection, SELECT_ROWS, values, |row| {
        let mut fields = Fields::new(row, "due", 3);
        fields.skip();
        let (due_at, event) = (fields.integer("due_at")?, fields.integer("event")?);
        Ok(Row { due_at, event, born: fields.integer("born")? })
    })
}
