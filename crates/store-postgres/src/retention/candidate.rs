//! Events that may have to go, and whether something of them is pending.
//!
//! That follows from the history, which also says where the rows lie that a delivery is owed by: there may be a million of
//! its webhook's, and they are found by their times only.

use std::collections::HashMap;

use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::row::{DELIVERED, Field, Fields, GIVEN_UP, REQUEUED, Row, SUPERSEDED, targets};
use signalpost_store::weight;

use crate::failure::Failure;
use crate::ledger::order::{BLOCKED, HELD};
use crate::session::Session;

/// What judging and removing an event needs: no large column is read.
macro_rules! candidate_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.payload_removed_at, length(m.data), \
         coalesce(length(m.attributes), 0), length(m.targets), m.ordering_key IS NOT NULL, \
         m.producer_id, m.targets"
    };
}
pub(super) use candidate_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    candidate_columns!(),
    " FROM unnest($1::bigint[], $2::bigint[]) AS k (workspace, id) CROSS JOIN LATERAL (
        SELECT * FROM message m WHERE m.workspace = k.workspace AND m.id = k.id OFFSET 0) AS m
     ORDER BY m.id"
);
pub(crate) const SELECT_STEPS: &str =
    "SELECT a.event, a.webhook, a.n, a.verdict, a.born, a.at, a.retry_at, coalesce(length(a.detail), 0)
    FROM unnest($1::bigint[], $2::bigint[]) AS k (event, webhook) CROSS JOIN LATERAL (
        SELECT * FROM attempt a WHERE a.webhook = k.webhook AND a.event = k.event ORDER BY a.n OFFSET 0) AS a";
pub(crate) const SELECT_CUTS_UPTO: &str =
    "SELECT webhook, max(upto) FROM cut WHERE webhook = ANY($1::bigint[]) GROUP BY webhook";
/// What blocks its key, or was ended by a cut.
pub(crate) const SELECT_BLOCKS: &str = "SELECT d.webhook, d.event, d.order_sequence
    FROM unnest($1::bigint[], $2::bigint[]) AS k (event, webhook) CROSS JOIN LATERAL (
        SELECT d.webhook, d.event, d.order_sequence FROM due d
        WHERE d.webhook = k.webhook AND d.due_at = $3 AND d.event = k.event OFFSET 0) AS d";

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

/// Those of these events that exist, oldest first.
pub(super) async fn load(
    session: &Session,
    events: impl Iterator<Item = (WorkspaceId, i64)>,
) -> Result<Vec<Candidate>, Failure> {
    let (workspaces, ids): (Vec<i64>, Vec<i64>) =
        events.map(|(workspace, event)| (workspace.raw(), event)).unzip();
    session.all(SELECT, &[&workspaces, &ids], candidate).await
}

/// A row of `candidate_columns`. One damaged event must not keep the others, so what is damaged in it is not an
/// error yet.
pub(super) fn candidate(row: &Row<'_>) -> Field<Candidate> {
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

impl Candidate {
    fn targets(&self) -> &[WebhookId] {
        self.content.as_ref().map_or(&[], |content| &content.targets)
    }
}

/// What retention finds out about an event that may have to go.
pub(super) enum Judged {
    /// It stays: something of it is pending, or it cannot be read.
    Held,
    Ended(Ended),
}

/// Of an event of which nothing is pending.
pub(super) struct Ended {
    /// With its deliveries' histories, in the sense of [`weight`].
    pub(super) bytes: i64,
    /// Keys in `due` of what cuts have ended and no sweep has removed yet.
    pub(super) unswept: Vec<(WebhookId, i64)>,
}

/// Which of these events may go. One damaged event must not keep the others: it is told, and stays.
pub(super) async fn judge(session: &Session, events: &[Candidate]) -> Result<Vec<Judged>, Failure> {
    let pairs = |only_keyed: bool| -> (Vec<i64>, Vec<i64>) {
        let wanted = events.iter().filter(|event| event.is_keyed || !only_keyed);
        wanted.flat_map(|event| event.targets().iter().map(|webhook| (event.id, webhook.raw()))).unzip()
    };
    let known = Known {
        histories: histories(session, pairs(false)).await?,
        cuts_upto: cuts_upto(session, pairs(false).1).await?,
        blocks: blocks(session, pairs(true)).await?,
    };
    Ok(events.iter().map(|event| known.judge(event)).collect())
}

/// By event and webhook.
type Key = (i64, WebhookId);

/// What is known of the deliveries of some events.
struct Known {
    histories: HashMap<Key, History>,
    cuts_upto: HashMap<WebhookId, i64>,
    /// Sequences of what was given up and has a row still.
    blocks: HashMap<Key, i64>,
}

/// The history of a delivery, as far as retention cares.
#[derive(Clone, Copy, Default)]
struct History {
    /// Where the last round stands.
    round: Option<Round>,
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

async fn histories(
    session: &Session,
    (events, webhooks): (Vec<i64>, Vec<i64>),
) -> Result<HashMap<Key, History>, Failure> {
    let mut found: HashMap<Key, History> = HashMap::new();
    let steps = session
        .all(SELECT_STEPS, &[&events, &webhooks], |row| {
            let mut fields = Fields::new(row, "attempt", 3);
            let key = (fields.id("event")?, WebhookId::from_raw(fields.id("webhook")?));
            fields.skip();
            let (verdict, born) = (fields.integer("verdict")?, fields.optional_integer("born")?);
            let (at, retry_at) = (fields.integer("at")?, fields.optional_integer("retry_at")?);
            let bytes = weight::of_step(fields.count("detail")?);
            Ok((key, Round { verdict, born, due_at: retry_at.unwrap_or(at) }, bytes))
        })
        .await?;
    for (key, step, bytes) in steps {
        let history = found.entry(key).or_default();
        history.bytes += bytes;
        if step.verdict != SUPERSEDED {
            let earlier = history.round.and_then(|round| round.born);
            let born = if step.verdict == REQUEUED { step.born } else { earlier };
            history.round = Some(Round { born, ..step });
        }
    }
    Ok(found)
}

async fn cuts_upto(session: &Session, mut webhooks: Vec<i64>) -> Result<HashMap<WebhookId, i64>, Failure> {
    webhooks.sort_unstable();
    webhooks.dedup();
    let found = session
        .all(SELECT_CUTS_UPTO, &[&webhooks], |row| {
            let mut fields = Fields::new(row, "cut", 1);
            Ok((WebhookId::from_raw(fields.id("webhook")?), fields.integer("upto")?))
        })
        .await?;
    Ok(found.into_iter().collect())
}

async fn blocks(
    session: &Session,
    (events, webhooks): (Vec<i64>, Vec<i64>),
) -> Result<HashMap<Key, i64>, Failure> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let found = session
        .all(SELECT_BLOCKS, &[&events, &webhooks, &BLOCKED], |row| {
            let mut fields = Fields::new(row, "due", 2);
            let webhook = WebhookId::from_raw(fields.id("webhook")?);
            Ok(((fields.id("event")?, webhook), fields.integer("order_sequence")?))
        })
        .await?;
    Ok(found.into_iter().collect())
}

impl Known {
    fn judge(&self, event: &Candidate) -> Judged {
        if let Err(problem) = &event.content {
            tracing::error!(event = event.id, %problem, "an event cannot be judged and stays");
            return Judged::Held;
        }
        let Some(unswept) = self.unswept(event) else { return Judged::Held };
        let history = |webhook: &WebhookId| self.histories.get(&(event.id, *webhook));
        let steps: i64 = event.targets().iter().filter_map(history).map(|history| history.bytes).sum();
        Judged::Ended(Ended { bytes: event.bytes + steps, unswept })
    }

    /// `None` when a delivery has neither ended nor been ended by a cut, or blocks its key. What cuts have ended may still
    /// have rows in `due`, which have these keys.
    fn unswept(&self, event: &Candidate) -> Option<Vec<(WebhookId, i64)>> {
        let mut unswept = Vec::new();
        for webhook in event.targets() {
            let key = (event.id, *webhook);
            let is_cut = |born: i64| self.cuts_upto.get(webhook).is_some_and(|upto| *upto >= born);
            let round = self.histories.get(&key).and_then(|history| history.round);
            if round.is_some_and(|round| matches!(round.verdict, DELIVERED | GIVEN_UP)) {
                if let Some(sequence) = self.blocks.get(&key) {
                    if !is_cut(*sequence) {
                        return None;
                    }
                    unswept.push((*webhook, BLOCKED));
                }
                continue;
            }
            if !is_cut(round.and_then(|round| round.born).unwrap_or(event.sequence.0)) {
                return None;
            }
            unswept.push((*webhook, round.map_or(event.accepted_at, |round| round.due_at)));
            unswept.extend(event.is_keyed.then_some((*webhook, HELD)));
        }
        Some(unswept)
    }
}
