//! Events that may have to go, and whether something of them is pending.
//!
//! That follows from the history, which also says where the rows lie that a delivery is owed by: there may be a million of
//! its webhook's, and they are found by their times only.

use std::collections::HashMap;

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::retention::{Round, Standing};
use signalpost_store::row::{BLOCKED_AT, Fields};
use signalpost_store::weight;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) use signalpost_store::row::Candidate;
pub(super) use signalpost_store::row::{Payload, candidate, candidate_columns};

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

/// Those of these events that exist, oldest first.
pub(crate) async fn load(
    session: &Session,
    events: impl Iterator<Item = (WorkspaceId, i64)>,
) -> Result<Vec<Candidate>, Failure> {
    let (workspaces, ids): (Vec<i64>, Vec<i64>) =
        events.map(|(workspace, event)| (workspace.raw(), event)).unzip();
    session.all(SELECT, &[&workspaces, &ids], candidate).await
}

fn targets(event: &Candidate) -> &[WebhookId] {
    event.content.as_ref().map_or(&[], |content| &content.targets)
}

/// What retention finds out about an event that may have to go.
pub(crate) enum Judged {
    /// It stays: something of it is pending, or it cannot be read.
    Held,
    Ended(Ended),
}

/// Of an event of which nothing is pending.
pub(crate) struct Ended {
    /// With its deliveries' histories, in the sense of [`weight`].
    pub(super) bytes: i64,
    /// Keys in `due` of what cuts have ended and no sweep has removed yet.
    pub(super) unswept: Vec<(WebhookId, i64)>,
}

/// Which of these events may go. One damaged event must not keep the others: it is told, and stays.
pub(crate) async fn judge(session: &Session, events: &[Candidate]) -> Result<Vec<Judged>, Failure> {
    let pairs = |only_keyed: bool| -> (Vec<i64>, Vec<i64>) {
        let wanted = events.iter().filter(|event| event.is_keyed || !only_keyed);
        wanted.flat_map(|event| targets(event).iter().map(|webhook| (event.id, webhook.raw()))).unzip()
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
        history.round = Round::after(history.round, step);
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
        .all(SELECT_BLOCKS, &[&events, &webhooks, &BLOCKED_AT], |row| {
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
        let steps: i64 = targets(event).iter().filter_map(history).map(|history| history.bytes).sum();
        Judged::Ended(Ended { bytes: event.bytes + steps, unswept })
    }

    /// `None` when a delivery has neither ended nor been ended by a cut, or blocks its key. What cuts have ended may still
    /// have rows in `due`, which have these keys.
    fn unswept(&self, event: &Candidate) -> Option<Vec<(WebhookId, i64)>> {
        let mut unswept = Vec::new();
        for webhook in targets(event) {
            let key = (event.id, *webhook);
            let is_cut = |born: i64| self.cuts_upto.get(webhook).is_some_and(|upto| *upto >= born);
            let round = self.histories.get(&key).and_then(|history| history.round);
            match event.standing(round) {
                Standing::Ended => match self.blocks.get(&key) {
                    Some(sequence) if !is_cut(*sequence) => return None,
                    Some(_) => unswept.push((*webhook, BLOCKED_AT)),
                    None => {}
                },
                Standing::Open { born, .. } if !is_cut(born) => return None,
                Standing::Open { due_at, .. } => {
                    unswept.extend(event.rows_at(due_at).map(|at| (*webhook, at)));
                }
            }
        }
        Some(unswept)
    }
}
