//! An event that may have to go, and whether something of it is pending.

use rusqlite::OptionalExtension;
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::fetch::exists;
use crate::ledger::order::{BLOCKED, HELD};
use crate::write::Write;
use signalpost_store::row::{DELIVERED, Fields, GIVEN_UP, REQUEUED, Row, SUPERSEDED, targets};
use signalpost_store::weight;

/// What judging and removing an event needs: no large column is read.
macro_rules! candidate_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.payload_removed_at, length(m.data), \
         coalesce(length(m.attributes), 0), length(m.targets), m.ordering_key IS NOT NULL, \
         m.producer_id, m.targets"
    };
}
pub(super) use candidate_columns;

pub(crate) const SELECT_STEPS: &str =
    "SELECT webhook, n, verdict, born, at, retry_at, coalesce(length(detail), 0)
    FROM attempt WHERE event = ?1 ORDER BY webhook, n";
/// What blocks its key and no cut has ended.
pub(crate) const SELECT_BLOCK: &str = "SELECT 1 FROM due WHERE webhook = ?1 AND due_at = ?2 AND event = ?3
    AND order_sequence > coalesce((SELECT max(upto) FROM cut WHERE webhook = ?1), -1)";
pub(crate) const SELECT_CUT_UPTO: &str = "SELECT max(upto) FROM cut WHERE webhook = ?1";

pub(super) struct Candidate {
    pub(super) id: i64,
    pub(super) workspace: WorkspaceId,
    pub(super) accepted_at: i64,
    pub(super) payload: Payload,
    /// Of the event's row, in the sense of [`weight`].
    pub(super) bytes: i64,
    pub(super) sequence: Sequence,
    /// The producer's id and the targets; the problem when they cannot be read.
    pub(super) content: Result<Content, StoreError>,
    /// Whether deliveries of it may have a place in an order.
    is_keyed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    Stored { bytes: i64 },
    Removed,
}

#[derive(Default)]
pub(super) struct Content {
    pub(super) producer_id: Option<String>,
    pub(super) targets: Vec<WebhookId>,
}

/// A row of `candidate_columns`. One damaged event must not keep the others, so what is damaged in it is not an
/// error yet.
pub(super) fn candidate(row: &Row<'_>) -> Result<Candidate, StoreError> {
    let mut fields = Fields::new(row, "message", 1);
    let id = fields.id("id")?;
    let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
    let sequence = Sequence(fields.integer("sequence")?);
    let accepted_at = fields.integer("accepted_at")?;
    let removed_at = fields.optional_integer("payload_removed_at")?;
    let data_bytes: usize = fields.count("data")?;
    let bytes = weight::of_message(data_bytes, fields.count("attributes")?, fields.count("targets")?);
    let payload = match removed_at {
        None => Payload::Stored { bytes: i64::try_from(data_bytes).unwrap_or(i64::MAX) },
        Some(_) => Payload::Removed,
    };
    let is_keyed = fields.integer("ordering_key")? != 0;
    let content = content(&mut fields);
    Ok(Candidate { id, workspace, accepted_at, payload, bytes, sequence, content, is_keyed })
}

fn content(fields: &mut Fields<'_>) -> Result<Content, StoreError> {
    let producer_id = fields.optional_text("producer_id")?.map(str::to_owned);
    Ok(Content { producer_id, targets: targets(fields)? })
}

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

#[derive(Clone, Copy)]
struct Round {
    verdict: i64,
    /// Where the round began; `None` when it began with the event.
    born: Option<i64>,
    /// When the next attempt of it is, or was, due.
    due_at: i64,
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
        if verdict == SUPERSEDED {
            continue;
        }
        let earlier = found.rounds.last().filter(|(last, _)| *last == webhook).map(|(_, round)| *round);
        let born = if verdict == REQUEUED { born } else { earlier.and_then(|round| round.born) };
        if earlier.is_some() {
            found.rounds.pop();
        }
        found.rounds.push((webhook, Round { verdict, born, due_at: retry_at.unwrap_or(at) }));
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
        let block = [webhook.raw(), BLOCKED, candidate.id];
        let round = history.rounds.iter().find(|(lane, _)| lane == webhook).map(|(_, round)| *round);
        if round.is_some_and(|round| matches!(round.verdict, DELIVERED | GIVEN_UP)) {
            if candidate.is_keyed && exists(write.connection, SELECT_BLOCK, block)? {
                return Ok(None);
            }
            unswept.extend(candidate.is_keyed.then_some((*webhook, BLOCKED)));
            continue;
        }
        let born = round.and_then(|round| round.born).unwrap_or(candidate.sequence.0);
        if cut_upto(write, *webhook)?.is_none_or(|upto| upto < born) {
            return Ok(None);
        }
        unswept.push((*webhook, round.map_or(candidate.accepted_at, |round| round.due_at)));
        unswept.extend(candidate.is_keyed.then_some((*webhook, HELD)));
    }
    Ok(Some(unswept))
}

fn cut_upto(write: &Write<'_>, webhook: WebhookId) -> Result<Option<i64>, Failure> {
    let found = write.statement(SELECT_CUT_UPTO)?.query_row([webhook.raw()], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}
