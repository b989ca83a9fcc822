//! The model's order by key: which delivery is the first of its key, what is held behind it, and what blocks.

use std::collections::BTreeMap;

use signalpost_core::delivery::Due;
use signalpost_core::event::Sequence;
use signalpost_core::id::WebhookId;
use signalpost_core::order::OrderKey;

use super::data::Data;

impl Data {
    /// Everything that is owed: without what a cut has ended, what is held, and what blocks its key.
    pub(super) fn owed(&self) -> impl Iterator<Item = &Due> {
        let mut firsts: BTreeMap<(WebhookId, OrderKey), Sequence> = BTreeMap::new();
        for due in self.living() {
            if let Some(place) = due.order {
                let first = firsts.entry((due.id.webhook, place.key)).or_insert(place.sequence);
                *first = place.sequence.min(*first);
            }
        }
        self.living().filter(move |due| {
            let is_first =
                due.order.is_none_or(|place| firsts[&(due.id.webhook, place.key)] == place.sequence);
            is_first && !self.blocked.contains(&due.id)
        })
    }

    /// What was pending and no cut has ended, with what blocks its key.
    pub(super) fn living(&self) -> impl Iterator<Item = &Due> {
        self.due.values().filter(|due| {
            let lane = self.webhooks.get(&due.id.webhook);
            !lane.is_some_and(|row| row.has_ended(due.born))
        })
    }

    /// The one of a key that is owed.
    pub(super) fn owed_of(&self, webhook: WebhookId, key: OrderKey) -> Option<Due> {
        let of_key =
            |due: &&Due| due.id.webhook == webhook && due.order.is_some_and(|place| place.key == key);
        let first = self.living().filter(of_key).min_by_key(|due| due.order.map(|place| place.sequence));
        first.filter(|due| !self.blocked.contains(&due.id)).copied()
    }

    /// Makes a change, and notes when it has made another delivery the first of this one's key.
    pub(super) fn releasing<T>(&mut self, due: Due, change: impl FnOnce(&mut Self) -> T) -> T {
        let Some(place) = due.order else { return change(self) };
        let before = self.owed_of(due.id.webhook, place.key).map(|due| due.id);
        let result = change(self);
        let after = self.owed_of(due.id.webhook, place.key);
        self.released.extend(after.filter(|due| Some(due.id) != before));
        result
    }

    /// Whether a delivery that is given up blocks its key.
    pub(super) fn blocks(&self, due: &Due) -> bool {
        due.order.is_some()
            && self
                .webhooks
                .get(&due.id.webhook)
                .is_some_and(|row| row.webhook.order.blocks() && !row.has_ended(due.born))
    }

    /// Lets the keys go that deliveries of a webhook block, by their events.
    pub(super) fn unblock(&mut self, webhook: WebhookId) {
        let of_it: Vec<_> = self.blocked.iter().filter(|id| id.webhook == webhook).copied().collect();
        for id in of_it {
            let due = self.due[&id];
            self.releasing(due, |data| {
                data.due.remove(&id);
                data.blocked.remove(&id);
            });
        }
    }
}
