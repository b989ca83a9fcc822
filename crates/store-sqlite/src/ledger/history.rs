//! A delivery's history, its webhook's cuts, and the state that follows from them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use signalpost_core::attempt::{Attempt, Failure as AttemptFailure, Outcome, Timing, Verdict};
use signalpost_core::delivery::{Cut, Step, state_of};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_store::StoreError;
use signalpost_store::ledger::DeliverySummary;

use super::newest_first::Brief;
use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use crate::pack::{Detail, unpack_detail};
use crate::row;
use crate::row::Fields;

pub(crate) const SELECT_CUTS: &str =
    "SELECT webhook, n, upto, at, reason FROM cut WHERE webhook = ?1 ORDER BY n";
/// Without the large column: what a list needs.
pub(crate) const SELECT_STEPS_BRIEF: &str =
    "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, NULL
    FROM attempt WHERE event = ?1 AND webhook = ?2 ORDER BY n";
pub(crate) const SELECT_STEPS: &str = "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, detail
    FROM attempt WHERE event = ?1 AND webhook = ?2 ORDER BY n";
pub(crate) const SELECT_PUBLIC_ID: &str = "SELECT id, public_id FROM webhook WHERE id = ?1";

pub(crate) const DELIVERED: i64 = 0;
const RETRY: i64 = 1;
pub(crate) const GIVEN_UP: i64 = 2;
pub(crate) const REQUEUED: i64 = 3;
pub(crate) const SUPERSEDED: i64 = 4;
const HELD: i64 = 5;

pub(super) const fn verdict_code(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Delivered => DELIVERED,
        Verdict::RetryAt(_) => RETRY,
        Verdict::HeldUntil(_) => HELD,
        Verdict::GiveUp => GIVEN_UP,
        Verdict::Superseded => SUPERSEDED,
    }
}

/// All cuts of a webhook in order of making.
pub(crate) fn cuts(connection: &Connection, webhook: WebhookId) -> Result<Vec<Cut>, Failure> {
    fetch_all(connection, SELECT_CUTS, [webhook.raw()], row::cut)
}

/// The whole history of a delivery.
pub(super) fn steps(connection: &Connection, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    fetch_all(connection, SELECT_STEPS, [id.event.raw(), id.webhook.raw()], step)
}

/// The same without the large parts.
pub(super) fn steps_brief(connection: &Connection, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    fetch_all(connection, SELECT_STEPS_BRIEF, [id.event.raw(), id.webhook.raw()], step)
}

/// What a summary needs to know of the webhooks of a page, each read once.
#[derive(Default)]
pub(super) struct Lanes(BTreeMap<WebhookId, Lane>);

struct Lane {
    public_id: String,
    cuts: Vec<Cut>,
}

impl Lanes {
    fn get(&mut self, connection: &Connection, id: WebhookId) -> Result<&Lane, Failure> {
        match self.0.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let public_id = fetch_one(connection, SELECT_PUBLIC_ID, [id.raw()], |row| {
                    let mut fields = Fields::new(row, "webhook", 1);
                    fields.skip();
                    fields.text("public_id").map(str::to_owned)
                })?;
                let cuts = cuts(connection, id)?;
                Ok(place.insert(Lane { public_id: public_id.unwrap_or_default(), cuts }))
            }
        }
    }

    /// A delivery as lists show it, read without the large parts of its history.
    pub(super) fn summary(
        &mut self,
        connection: &Connection,
        event: &Brief,
        webhook: WebhookId,
    ) -> Result<DeliverySummary, Failure> {
        let steps = steps_brief(connection, DeliveryId { event: event.id, webhook })?;
        self.summary_of(connection, event, webhook, &steps)
    }

    pub(super) fn summary_of(
        &mut self,
        connection: &Connection,
        event: &Brief,
        webhook: WebhookId,
        steps: &[Step],
    ) -> Result<DeliverySummary, Failure> {
        let lane = self.get(connection, webhook)?;
        let attempts = steps.iter().filter_map(|step| match step {
            Step::Attempted(attempt) => Some(attempt.outcome),
            Step::Requeued { .. } => None,
        });
        Ok(DeliverySummary {
            id: DeliveryId { event: event.id, webhook },
            producer_id: event.producer_id.clone(),
            event_type: event.event_type.clone(),
            webhook: lane.public_id.clone(),
            created_at: event.accepted_at,
            state: state_of(event.sequence, event.accepted_at, steps, &lane.cuts),
            attempts: u32::try_from(attempts.clone().count()).unwrap_or(u32::MAX),
            last_outcome: attempts.last(),
        })
    }
}

fn step(row: &Row<'_>) -> Result<Step, StoreError> {
    let mut fields = Fields::new(row, "attempt", 3);
    fields.skip();
    fields.skip();
    let number = fields.count("n")?;
    let at = fields.time("at")?;
    let verdict = fields.integer("verdict")?;
    let outcome = fields.value("outcome")?;
    let retry_at = fields.optional_time("retry_at")?;
    let born = fields.optional_integer("born")?;
    let missing = |fields: &Fields<'_>, column| fields.corrupt(column, "missing".to_owned());
    let verdict = match verdict {
        DELIVERED => Verdict::Delivered,
        RETRY => Verdict::RetryAt(retry_at.ok_or_else(|| missing(&fields, "retry_at"))?),
        HELD => Verdict::HeldUntil(retry_at.ok_or_else(|| missing(&fields, "retry_at"))?),
        GIVEN_UP => Verdict::GiveUp,
        SUPERSEDED => Verdict::Superseded,
        REQUEUED => {
            let born = Sequence(born.ok_or_else(|| missing(&fields, "born"))?);
            return Ok(Step::Requeued { number, at, born });
        }
        other => return Err(fields.corrupt("verdict", format!("unknown verdict {other}"))),
    };
    let outcome = outcome_of(outcome).map_err(|problem| fields.corrupt("outcome", problem))?;
    let Detail { timing_us, text, headers, answer } = match fields.optional_blob("detail")? {
        None => Detail { timing_us: [0; 5], text: String::new(), headers: Vec::new(), answer: Bytes::new() },
        Some(blob) => unpack_detail(blob).map_err(|problem| fields.corrupt("detail", problem))?,
    };
    let timing = timing_of(timing_us);
    let attempt =
        Attempt { number, at, outcome, verdict, detail: text, timing, request_headers: headers, answer };
    Ok(Step::Attempted(attempt))
}

fn outcome_of(value: ValueRef<'_>) -> Result<Outcome, String> {
    match value {
        ValueRef::Integer(status) => {
            u16::try_from(status).map(Outcome::Status).map_err(|_| format!("{status} is no status"))
        }
        ValueRef::Text(name) => {
            let name = String::from_utf8_lossy(name);
            let failure = AttemptFailure::from_name(&name);
            failure.map(Outcome::Failed).ok_or_else(|| format!("unknown failure {name:?}"))
        }
        other => Err(format!("{} is neither a status nor a failure", other.data_type())),
    }
}

const fn timing_of([dns_us, connect_us, tls_us, first_byte_us, total_us]: [u64; 5]) -> Timing {
    Timing { dns_us, connect_us, tls_us, first_byte_us, total_us }
}
