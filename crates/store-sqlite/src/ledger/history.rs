//! A delivery's history, its webhook's cuts, and the state that follows from them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::Connection;
use signalpost_core::delivery::{Cut, Step, state_of};
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_store::ledger::DeliverySummary;

use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one};
use signalpost_store::row;
use signalpost_store::row::{Brief, Fields};

pub(crate) const SELECT_CUTS: &str =
    "SELECT webhook, n, upto, at, reason FROM cut WHERE webhook = ?1 ORDER BY n";
/// Without the large column: what a list needs.
pub(crate) const SELECT_STEPS_BRIEF: &str =
    "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, NULL
    FROM attempt WHERE event = ?1 AND webhook = ?2 ORDER BY n";
pub(crate) const SELECT_STEPS: &str = "SELECT event, webhook, n, at, verdict, outcome, retry_at, born, detail
    FROM attempt WHERE event = ?1 AND webhook = ?2 ORDER BY n";
pub(crate) const SELECT_PUBLIC_ID: &str = "SELECT id, public_id FROM webhook WHERE id = ?1";

/// All cuts of a webhook in order of making.
pub(crate) fn cuts(connection: &Connection, webhook: WebhookId) -> Result<Vec<Cut>, Failure> {
    fetch_all(connection, SELECT_CUTS, [webhook.raw()], row::cut)
}

/// The whole history of a delivery.
pub(super) fn steps(connection: &Connection, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    fetch_all(connection, SELECT_STEPS, [id.event.raw(), id.webhook.raw()], row::step)
}

/// The same without the large parts.
pub(super) fn steps_brief(connection: &Connection, id: DeliveryId) -> Result<Vec<Step>, Failure> {
    fetch_all(connection, SELECT_STEPS_BRIEF, [id.event.raw(), id.webhook.raw()], row::step)
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
