//! The model's reads of events and of what is owed.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;

use super::data::Data;
use crate::ledger::{DueLane, DueLanes, DueOrder, DuePage, EventKey, EventPage, ListEvents};

impl Data {
    pub(super) fn due_lanes(&self, params: DueLanes) -> Vec<DueLane> {
        let mut first: BTreeMap<WebhookId, Timestamp> = BTreeMap::new();
        let is_on = |id: WebhookId| self.webhooks.get(&id).is_some_and(|row| row.webhook.state.is_active());
        for due in self.owed().filter(|due| is_on(due.id.webhook)) {
            let first_due_at = first.entry(due.id.webhook).or_insert(due.due_at);
            *first_due_at = due.due_at.min(*first_due_at);
        }
        let lanes = first.into_iter().map(|(webhook, first_due_at)| DueLane { webhook, first_due_at });
        lanes.filter(|lane| params.after.is_none_or(|id| lane.webhook > id)).take(params.limit).collect()
    }

    pub(super) fn due_page(&self, params: DuePage) -> Vec<Due> {
        let mut owed: Vec<Due> =
            self.owed().filter(|due| due.id.webhook == params.webhook).copied().collect();
        owed.sort_by_key(|due| (due.due_at, due.id.event));
        match params.order {
            DueOrder::OldestFirst { from } => owed.retain(|due| due.due_at >= from),
            DueOrder::NewestFirst { until } => {
                owed.retain(|due| due.due_at <= until);
                owed.reverse();
            }
        }
        owed.truncate(params.limit);
        owed
    }

    pub(super) fn unattempted(&self, deliveries: &[DeliveryId]) -> Vec<(Due, Arc<Event>)> {
        let owed = self.owed().filter(|due| deliveries.contains(&due.id));
        let with_event =
            owed.filter_map(|due| Some((*due, Arc::clone(&self.events.get(&due.id.event)?.event))));
        with_event.filter(|(due, event)| due.is_as_accepted(event)).collect()
    }

    pub(super) fn events_by_id(&self, ids: &[EventId]) -> Vec<Arc<Event>> {
        ids.iter().filter_map(|id| self.events.get(id)).map(|row| Arc::clone(&row.event)).collect()
    }

    /// By the producer's id: the newest event that carries it, be it an identity or a label.
    pub(super) fn event(&self, workspace: WorkspaceId, key: &EventKey) -> Option<Arc<Event>> {
        let mut newest_first = self.events_of(workspace).rev();
        let found = newest_first.find(|row| match key {
            EventKey::Ours(id) => row.event.id == *id,
            EventKey::Producer(id) => row.event.content.producer_id.as_ref() == Some(id),
        });
        found.map(|row| Arc::clone(&row.event))
    }

    pub(super) fn list_events(&self, params: &ListEvents) -> EventPage {
        let newest_first = self.events_of(params.workspace).rev().map(|row| Arc::clone(&row.event));
        let mut rest = newest_first
            .filter(|event| {
                params.event_type.as_ref().is_none_or(|wanted| event.content.event_type == *wanted)
            })
            .filter(|event| params.subject.is_none() || event.content.subject == params.subject)
            .filter(|event| params.before.is_none_or(|before| event.id < before));
        let rows: Vec<_> = rest.by_ref().take(params.limit).collect();
        let next = rest.next().and(rows.last()).map(|event| event.id);
        EventPage { rows, next }
    }
}
