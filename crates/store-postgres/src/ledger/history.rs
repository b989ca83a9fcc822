//! A delivery's history, its webhook's cuts, and the state that follows from them.

use std::collections::HashMap;

use signalpost_core::delivery::{Cut, Step, state_of};
use signalpost_core::id::{DeliveryId, EventId, WebhookId};
use signalpost_store::ledger::DeliverySummary;
use signalpost_store::row::{self, Brief, Fields};

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT_CUTS: &str =
    "SELECT webhook, n, upto, at, reason FROM cut WHERE webhook = $1 ORDER BY n";
pub(crate) const SELECT_CUTS_OF: &str =
    "SELECT webhook, n, upto, at, reason FROM cut WHERE webhook = ANY($1::bigint[]) ORDER BY webhook, n";
/// Without the large column: what a list needs.
pub(crate) const SELECT_STEPS_BRIEF: &str =
    "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, NULL::bytea
    FROM attempt WHERE event = $1 AND webhook = $2 ORDER BY n";
pub(crate) const SELECT_STEPS: &str = "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, detail
    FROM attempt WHERE event = $1 AND webhook = $2 ORDER BY n";
pub(crate) const SELECT_STEPS_BRIEF_OF: &str =
    "SELECT a.event, a.webhook, a.n, a.at, a.verdict, a.outcome, a.retry_at, a.born, NULL::bytea
    FROM unnest($1::bigint[], $2::bigint[]) AS k (event, webhook) CROSS JOIN LATERAL (
        SELECT * FROM attempt a WHERE a.webhook = k.webhook AND a.event = k.event ORDER BY a.n OFFSET 0) AS a";
pub(crate) const SELECT_PUBLIC_IDS: &str = "SELECT id, public_id FROM webhook WHERE id = ANY($1::bigint[])";

/// All cuts of a webhook in order of making.
pub(crate) async fn cuts(session: &Session, webhook: WebhookId) -> Result<Vec<Cut>, Failure> {
    session.all(SELECT_CUTS, &[&webhook.raw()], row::cut).await
}

/// The whole history of a delivery.
pub(super) async fn steps(session: &Session, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    session.all(SELECT_STEPS, &[&id.event.raw(), &id.webhook.raw()], row::step).await
}

/// The same without the large parts.
pub(super) async fn steps_brief(session: &Session, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    session.all(SELECT_STEPS_BRIEF, &[&id.event.raw(), &id.webhook.raw()], row::step).await
}

/// Deliveries as lists show them, read for all at once without the large parts of their histories.
pub(super) async fn summaries(
    session: &Session,
    deliveries: &[(&Brief, WebhookId)],
) -> Result<Vec<DeliverySummary>, Failure> {
    let ids = deliveries.iter().map(|(event, webhook)| DeliveryId { event: event.id, webhook: *webhook });
    let steps = steps_of(session, &ids.collect::<Vec<_>>()).await?;
    let lanes = Lanes::of(session, deliveries.iter().map(|(_, webhook)| *webhook)).await?;
    let none = Vec::new();
    let summary = |(event, webhook): &(&Brief, WebhookId)| {
        let steps = steps.get(&DeliveryId { event: event.id, webhook: *webhook }).unwrap_or(&none);
        lanes.summary(event, *webhook, steps)
    };
    Ok(deliveries.iter().map(summary).collect())
}

/// The histories of deliveries that have one, without the large parts.
async fn steps_of(session: &Session, ids: &[DeliveryId]) -> Result<HashMap<DeliveryId, Vec<Step>>, Failure> {
    let (events, webhooks): (Vec<i64>, Vec<i64>) =
        ids.iter().map(|id| (id.event.raw(), id.webhook.raw())).unzip();
    let found = session
        .all(SELECT_STEPS_BRIEF_OF, &[&events, &webhooks], |row| {
            let mut fields = Fields::new(row, "attempt", 3);
            let event = EventId::from_raw(fields.id("event")?);
            let webhook = WebhookId::from_raw(fields.id("webhook")?);
            Ok((DeliveryId { event, webhook }, row::step(row)?))
        })
        .await?;
    let mut steps: HashMap<DeliveryId, Vec<Step>> = HashMap::new();
    for (id, step) in found {
        steps.entry(id).or_default().push(step);
    }
    Ok(steps)
}

/// What summaries need to know of webhooks.
pub(super) struct Lanes {
    public_ids: HashMap<WebhookId, String>,
    cuts: HashMap<WebhookId, Vec<Cut>>,
}

impl Lanes {
    pub(super) async fn of(
        session: &Session,
        webhooks: impl Iterator<Item = WebhookId>,
    ) -> Result<Self, Failure> {
        let mut ids: Vec<i64> = webhooks.map(WebhookId::raw).collect();
        ids.sort_unstable();
        ids.dedup();
        let public_ids = session
            .all(SELECT_PUBLIC_IDS, &[&ids], |row| {
                let mut fields = Fields::new(row, "webhook", 1);
                Ok((WebhookId::from_raw(fields.id("id")?), fields.text("public_id")?.to_owned()))
            })
            .await?;
        let public_ids = public_ids.into_iter().collect();
        let found = session
            .all(SELECT_CUTS_OF, &[&ids], |row| {
                let webhook = Fields::new(row, "cut", 2).id("webhook")?;
                Ok((WebhookId::from_raw(webhook), row::cut(row)?))
            })
            .await?;
        let mut cuts: HashMap<WebhookId, Vec<Cut>> = HashMap::new();
        for (webhook, cut) in found {
            cuts.entry(webhook).or_default().push(cut);
        }
        Ok(Self { public_ids, cuts })
    }

    pub(super) fn summary(&self, event: &Brief, webhook: WebhookId, steps: &[Step]) -> DeliverySummary {
        let attempts = steps.iter().filter_map(|step| match step {
            Step::Attempted(attempt) => Some(attempt.outcome),
            Step::Requeued { .. } => None,
        });
        let cuts = self.cuts.get(&webhook).map_or(&[][..], Vec::as_slice);
        DeliverySummary {
            id: DeliveryId { event: event.id, webhook },
            producer_id: event.producer_id.clone(),
            event_type: event.event_type.clone(),
            webhook: self.public_ids.get(&webhook).cloned().unwrap_or_default(),
            created_at: event.accepted_at,
            state: state_of(event.sequence, event.accepted_at, steps, cuts),
            attempts: u32::try_from(attempts.clone().count()).unwrap_or(u32::MAX),
            last_outcome: attempts.last(),
        }
    }
}
