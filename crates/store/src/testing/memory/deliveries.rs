//! The model's reads of deliveries: every state is derived when it is asked for.

use std::sync::Arc;

use signalpost_core::delivery::{Cut, Step, state_of};
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, WorkspaceId};

use super::data::Data;
use crate::ledger::{DeliveryPage, DeliveryRecord, DeliverySummary, ListDeliveries};

impl Data {
    pub(super) fn list_deliveries(&self, params: &ListDeliveries) -> DeliveryPage {
        let mut rest = self
            .deliveries_newest_first(params.workspace)
            .filter(|id| params.webhook.is_none_or(|wanted| id.webhook == wanted))
            .filter(|id| params.event.is_none_or(|wanted| id.event == wanted))
            .filter(|id| params.before.is_none_or(|before| *id < before))
            .filter_map(|id| self.delivery(params.workspace, id))
            .map(|record| record.summary)
            .filter(|summary| params.status.is_none_or(|wanted| summary.state.status() == wanted));
        let rows: Vec<_> = rest.by_ref().take(params.limit).collect();
        let next = rest.next().and(rows.last()).map(|summary| summary.id);
        DeliveryPage { rows, next }
    }

    pub(super) fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Option<DeliveryRecord> {
        self.living_workspace(workspace)?;
        let row = self.events.get(&id.event).filter(|row| row.event.workspace == workspace)?;
        let event = Arc::clone(&row.event);
        event.targets.contains(&id.webhook).then(|| {
            let steps: Vec<_> =
                self.steps.get(&id).into_iter().flat_map(|known| known.values().cloned()).collect();
            DeliveryRecord { summary: self.summary(id, &event, &steps), event, steps }
        })
    }

    fn summary(&self, id: DeliveryId, event: &Event, steps: &[Step]) -> DeliverySummary {
        let lane = self.webhooks.get(&id.webhook);
        let cuts: &[Cut] = lane.map_or(&[], |row| &row.cuts);
        let attempts = steps.iter().filter_map(|step| match step {
            Step::Attempted(attempt) => Some(attempt.outcome),
            Step::Requeued { .. } => None,
        });
        DeliverySummary {
            id,
            producer_id: event.content.producer_id.clone(),
            event_type: event.content.event_type.clone(),
            webhook: lane.map(|row| row.webhook.public_id.clone()).unwrap_or_default(),
            created_at: event.accepted_at,
            state: state_of(event.sequence, event.accepted_at, steps, cuts),
            attempts: u32::try_from(attempts.clone().count()).expect("a history is short"),
            last_outcome: attempts.last(),
        }
    }

    fn deliveries_newest_first(&self, workspace: WorkspaceId) -> impl Iterator<Item = DeliveryId> {
        self.events_of(workspace).rev().flat_map(|row| {
            let mut targets = row.event.targets.clone();
            targets.sort();
            let event = row.event.id;
            targets.into_iter().rev().map(move |webhook| DeliveryId { event, webhook })
        })
    }
}
