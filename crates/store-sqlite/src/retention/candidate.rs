//! An event that may have to go, and whether something of it is pending.

use rusqlite::OptionalExtension;
use signalpost_core::id::WebhookId;
use signalpost_store::retention::{Round, Standing};
use signalpost_store::row::BLOCKED_AT;
use signalpost_store::weight;

use crate::failure::Failure;
use crate::fetch::exists;
use crate::write::Write;

pub(super) use signalpost_store::row::{Candidate, Content, Payload, candidate, candidate_columns};

pub(crate) const SELECT_STEPS: &str =
    "SELECT webhook, n, verdict, born, at, retry_at, coalesce(length(detail), 0)
    FROM attempt WHERE event = ?1 ORDER BY webhook, n";
/// What blocks its key and no cut has ended.
pub(crate) const SELECT_BLOCK: &str = "SELECT 1 FROM due WHERE webhook = ?1 AND due_at = ?2 AND event = ?3
    AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1)";
pub(crate) const SELECT_CUT_UPTO: &str = "SELECT max(upto) FROM cut WHERE webhook = ?1";

/// What retention finds out about an event that may have to go.
pub(super) enum Judged<'e> {
    /// It stays: something of it is pending, or it cannot be read. So many rows of history were looked at.
    Held {
        rows: usize,
    },
    Ended(Ended<'e>),
}

/// An event of which nothing is pending, with what removing it needs.
pub(super) struct Ended<'e> {
    pub(super) content: &'e Content,
    /// Steps of its deliveries' histories, and their bytes in the sense of [`weight`].
    pub(super) steps: usize,
    pub(super) steps_bytes: i64,
    /// Keys in `due` of what cuts have ended and no sweep has removed yet.
    pub(super) unswept: Vec<(WebhookId, i64)>,
}

/// Whether an event may go. One damaged event must not keep the others: it is told, and stays.
pub(super) fn judge<'e>(write: &Write<'_>, event: &'e Candidate) -> Result<Judged<'e>, Failure> {
    let content = match &event.content {
        Ok(content) => content,
        Err(problem) => {
            tracing::error!(event = event.id, %problem, "an event cannot be judged and stays");
            return Ok(Judged::Held { rows: 0 });
        }
    };
    let history = history(write, event.id)?;
    let (steps, steps_bytes) = (history.rows, history.bytes);
    Ok(match unswept(write, event, content, &history)? {
        Some(unswept) => Judged::Ended(Ended { content, steps, steps_bytes, unswept }),
        None => Judged::Held { rows: steps },
    })
}

/// The history of all deliveries of an event, as far as retention cares.
struct History {
    /// Where each webhook's last round stands.
    rounds: Vec<(WebhookId, Round)>,
    rows: usize,
    /// In the sense of [`weight`].
    bytes: i64,
}

fn history(write: &Write<'_>, event: i64) -> Result<History, Failure> {
    let mut select = write.statement(SELECT_STEPS)?;
    let mut rows = select.query([event])?;
    let mut found = History { rounds: Vec::new(), rows: 0, bytes: 0 };
    while let Some(row) = rows.next()? {
        let webhook = WebhookId::from_raw(row.get(0)?);
        let (verdict, born): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
        let (at, retry_at): (i64, Option<i64>) = (row.get(4)?, row.get(5)?);
        let detail_bytes: i64 = row.get(6)?;
        found.rows += 1;
        found.bytes += weight::of_step(usize::try_from(detail_bytes).unwrap_or(0));
        let step = Round { verdict, born, due_at: retry_at.unwrap_or(at) };
        let last = found.rounds.last_mut().filter(|(last, _)| *last == webhook).map(|(_, round)| round);
        let Some(round) = Round::after(last.as_deref().copied(), step) else { continue };
        match last {
            Some(last) => *last = round,
            None => found.rounds.push((webhook, round)),
        }
    }
    Ok(found)
}

/// `None` when a delivery has neither ended nor been ended by a cut, or blocks its key. What cuts have ended may still have rows in `due`,
/// which have these keys.
fn unswept(
    write: &Write<'_>,
    candidate: &Candidate,
    content: &Content,
    history: &History,
) -> Result<Option<Vec<(WebhookId, i64)>>, Failure> {
    let mut unswept = Vec::new();
    for webhook in &content.targets {
        let round = history.rounds.iter().find(|(lane, _)| lane == webhook).map(|(_, round)| *round);
        match candidate.standing(round) {
            Standing::Ended if !candidate.is_keyed => {}
            Standing::Ended => {
                if exists(write.connection, SELECT_BLOCK, [webhook.raw(), BLOCKED_AT, candidate.id])? {
                    return Ok(None);
                }
                unswept.push((*webhook, BLOCKED_AT));
            }
            Standing::Open { born, due_at } => {
                if cut_upto(write, *webhook)?.is_none_or(|upto| upto < born) {
                    return Ok(None);
                }
                unswept.extend(candidate.rows_at(due_at).map(|at| (*webhook, at)));
            }
        }
    }
    Ok(Some(unswept))
}

fn cut_upto(write: &Write<'_>, webhook: WebhookId) -> Result<Option<i64>, Failure> {
    let found = write.statement(SELECT_CUT_UPTO)?.query_row([webhook.raw()], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}
