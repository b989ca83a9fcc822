//! Why an event went to a webhook, or did not: gathers the facts for [`signalpost_core::explain`].

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::delivery::DeliveryState;
use signalpost_core::error::Error;
use signalpost_core::event::Event;
use signalpost_core::explain::{Answer, FilterVerdict, because, explain};
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::principal::Audience;
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_filter::Subject;
use signalpost_store::catalog::RememberedWebhooks;
use signalpost_store::ledger::ListDeliveries;

use crate::Engine;
use crate::fan_out::Pace;

/// About which webhooks of a workspace an explanation is wanted: a page of all that there are or were, newest first.
#[derive(Clone, Debug)]
pub struct ExplainPage {
    /// Only the one with this public id.
    pub webhook: Option<String>,
    pub before: Option<WebhookId>,
    pub limit: usize,
    pub audience: Audience,
}

#[derive(Clone, Debug)]
pub struct Explanations {
    pub event: Arc<Event>,
    pub rows: Vec<Explanation>,
    /// Where the next page starts.
    pub next: Option<WebhookId>,
}

#[derive(Clone, Debug)]
pub struct Explanation {
    pub webhook: Remembered,
    /// Where the event was sent to the webhook.
    pub delivery: Option<DeliveryId>,
    pub answer: Answer,
    /// The answer as a sentence or two for a person.
    pub because: String,
}

impl Engine {
    /// Answers for one event, found as by [`Self::event`], and each webhook of a page. Four reads of the store, however many
    /// webhooks there are.
    ///
    /// `NotFound` for an event or a webhook that the workspace does not have and, with the webhook, never had.
    pub async fn explain(
        &self,
        workspace: WorkspaceId,
        event: &str,
        page: ExplainPage,
    ) -> Result<Explanations, Error> {
        let event = self.event(workspace, event).await?;
        let ExplainPage { webhook: public_id, before, limit, audience } = page;
        let one = match public_id.clone() {
            Some(public_id) => Some(self.remembered_webhook(workspace, public_id).await?),
            None => None,
        };
        // Before the webhooks: who finds a delivery dropped with its webhook finds who deleted it as well.
        let states = self.states_of(&event, one, before, limit).await?;
        let wanted = RememberedWebhooks { workspace, public_id, before, limit: limit + 1 };
        let mut webhooks = self.store.remembered_webhooks(wanted).await?;
        let more = webhooks.len() > limit;
        webhooks.truncate(limit);
        let next = webhooks.last().filter(|_| more).map(Remembered::id);
        let webhooks = webhooks.into_iter().map(|webhook| webhook.told_to(audience)).collect();
        let rows = self.explain_each(&event, webhooks, &states).await?;
        Ok(Explanations { rows, event, next })
    }

    /// Filters may have much to do: others have their turn in between.
    async fn explain_each(
        &self,
        event: &Event,
        webhooks: Vec<Remembered>,
        states: &BTreeMap<WebhookId, DeliveryState>,
    ) -> Result<Vec<Explanation>, Error> {
        let (subject, mut pace) = (Subject::of(&event.content), Pace::by(self.clock.as_ref()));
        let mut rows = Vec::with_capacity(webhooks.len());
        for webhook in webhooks {
            let before = subject.steps();
            let filter = |webhook: &Webhook| self.filter_verdict(event, &subject, webhook);
            rows.push(explain_one(event, webhook, states, filter)?);
            pace.spend(subject.steps() - before).await;
        }
        Ok(rows)
    }

    /// What a webhook's filter says of an event now.
    fn filter_verdict(&self, event: &Event, subject: &Subject<'_>, webhook: &Webhook) -> FilterVerdict {
        let Some(filter) = &webhook.filter else { return FilterVerdict::Admits };
        if event.payload_removed_at.is_some() && !self.filters.ignores_data(filter) {
            return FilterVerdict::PayloadRemoved;
        }
        self.filters.judge(filter, subject)
    }

    async fn remembered_webhook(
        &self,
        workspace: WorkspaceId,
        public_id: String,
    ) -> Result<WebhookId, Error> {
        let wanted = RememberedWebhooks { workspace, public_id: Some(public_id), before: None, limit: 1 };
        let found = self.store.remembered_webhooks(wanted).await?;
        found.first().map(Remembered::id).ok_or_else(|| Error::not_found("webhook"))
    }

    /// What became of the event's deliveries, to one webhook or to those before one. Every webhook that an event was sent to
    /// is remembered, so the first `limit` of these hold all that a page of as many webhooks may ask for.
    async fn states_of(
        &self,
        event: &Event,
        webhook: Option<WebhookId>,
        before: Option<WebhookId>,
        limit: usize,
    ) -> Result<BTreeMap<WebhookId, DeliveryState>, Error> {
        let before = before.map(|webhook| DeliveryId { event: event.id, webhook });
        let (workspace, event) = (event.workspace, Some(event.id));
        let wanted = ListDeliveries { workspace, webhook, event, status: None, before, limit };
        let found = self.store.list_deliveries(wanted).await?;
        Ok(found.rows.into_iter().map(|summary| (summary.id.webhook, summary.state)).collect())
    }
}

fn explain_one(
    event: &Event,
    webhook: Remembered,
    states: &BTreeMap<WebhookId, DeliveryState>,
    filter: impl FnOnce(&Webhook) -> FilterVerdict,
) -> Result<Explanation, Error> {
    let id = webhook.id();
    let delivery = event.targets.contains(&id).then_some(DeliveryId { event: event.id, webhook: id });
    let state = states.get(&id).copied();
    if delivery.is_some() && state.is_none() {
        // Retention has removed it between two reads.
        return Err(Error::not_found("event"));
    }
    let answer = explain(event, &webhook, state, filter);
    let because = because(event, &webhook, &answer);
    Ok(Explanation { webhook, delivery, answer, because })
}
