//! Who wants an event: an index over a workspace's active webhooks.
//!
//! Choosing targets costs a lookup for the type and one for each full stop in it, and then what is found, however
//! many webhooks there are and whatever patterns they use. The rule is [`signalpost_core::matching::wants`]. What filters
//! say comes after it (`fan_out`).

use std::collections::HashMap;
use std::sync::Arc;

use signalpost_core::id::WebhookId;
use signalpost_core::matching::{pattern_prefix, prefixes_of};
use signalpost_core::webhook::{EventSelection, Webhook};

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// Ascending, which is oldest first.
    webhooks: Vec<WebhookId>,
    /// Of those that have one: the position of its text.
    filters: HashMap<WebhookId, usize>,
    /// Those that keep an order by key, ascending.
    ordered: Vec<WebhookId>,
    /// Of filters, each once.
    texts: Vec<Arc<str>>,
    /// By the subject that webhooks are bound to, `None` for those bound to none.
    by_subject: HashMap<Option<String>, Selections>,
}

/// Positions in the list of webhooks.
#[derive(Debug, Default)]
struct Selections {
    any_type: Vec<usize>,
    by_type: HashMap<String, Vec<usize>>,
    /// Those with a pattern, by what the types begin with that it covers.
    by_prefix: HashMap<String, Vec<usize>>,
}

impl Subscriptions {
    /// The index of active webhooks, which come oldest first.
    pub(crate) fn of(webhooks: &[Webhook]) -> Self {
        let mut index = Self::default();
        let mut texts: HashMap<&str, usize> = HashMap::new();
        for (position, webhook) in webhooks.iter().enumerate() {
            index.webhooks.push(webhook.id);
            if webhook.order.by_key {
                index.ordered.push(webhook.id);
            }
            if let Some(filter) = &webhook.filter {
                let position = *texts.entry(filter).or_insert(index.texts.len());
                if position == index.texts.len() {
                    index.texts.push(Arc::from(filter.as_str()));
                }
                index.filters.insert(webhook.id, position);
            }
            let selections = index.by_subject.entry(webhook.subject.clone()).or_default();
            match &webhook.events {
                EventSelection::All => selections.any_type.push(position),
                EventSelection::Only(entries) => {
                    entries.iter().for_each(|entry| selections.add(entry, position))
                }
            }
        }
        index
    }

    /// Whether this webhook is among them.
    pub(crate) fn holds(&self, webhook: WebhookId) -> bool {
        self.webhooks.binary_search(&webhook).is_ok()
    }

    /// Those of these webhooks that keep an order by key.
    pub(crate) fn ordered_of(&self, webhooks: &[WebhookId]) -> Vec<WebhookId> {
        let ordered = |webhook: &&WebhookId| self.ordered.binary_search(webhook).is_ok();
        webhooks.iter().filter(ordered).copied().collect()
    }

    pub(crate) fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }

    /// Where among [`Self::filter_texts`] that of a webhook is.
    pub(crate) fn filter_of(&self, webhook: WebhookId) -> Option<usize> {
        self.filters.get(&webhook).copied()
    }

    pub(crate) fn filter_texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    /// The webhooks that want an event by its type and subject, oldest first, each once.
    pub(crate) fn candidates(&self, event_type: &str, subject: Option<&str>) -> Vec<WebhookId> {
        let bound = subject.map(|subject| Some(subject.to_owned()));
        let mut positions = Vec::new();
        for key in [Some(None), bound].into_iter().flatten() {
            if let Some(selections) = self.by_subject.get(&key) {
                selections.collect(event_type, &mut positions);
            }
        }
        // A webhook stands under its types and under its patterns, which may cover the same event.
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| self.webhooks[position]).collect()
    }
}

impl Selections {
    fn add(&mut self, entry: &str, position: usize) {
        let (map, key) = match pattern_prefix(entry) {
            Some(prefix) => (&mut self.by_prefix, prefix),
            None => (&mut self.by_type, entry),
        };
        map.entry(key.to_owned()).or_default().push(position);
    }

    fn collect(&self, event_type: &str, positions: &mut Vec<usize>) {
        positions.extend(&self.any_type);
        positions.extend(self.by_type.get(event_type).into_iter().flatten());
        if self.by_prefix.is_empty() {
            return;
        }
        for prefix in prefixes_of(event_type) {
            positions.extend(self.by_prefix.get(prefix).into_iter().flatten());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use signalpost_core::id::WorkspaceId;
    use signalpost_core::matching::wants;
    use signalpost_store::testing::sample;

    fn webhook(n: i64, events: EventSelection, subject: Option<&str>) -> Webhook {
        let subject = subject.map(str::to_owned);
        Webhook { events, subject, ..sample::webhook(WorkspaceId::from_raw(1), n) }
    }

    fn only(entries: &[&str]) -> EventSelection {
        EventSelection::Only(entries.iter().map(|entry| (*entry).to_owned()).collect())
    }

    #[test]
    fn a_webhook_gets_an_event_once_however_often_it_selects_it() {
        let webhooks = [
            webhook(1, only(&["a.b", "a.*", "a.b.*"]), None),
            webhook(2, only(&["a.b.c", "a.*"]), Some("s")),
            webhook(3, EventSelection::All, Some("s")),
        ];
        let index = Subscriptions::of(&webhooks);
        let targets = |event_type, subject| {
            index.candidates(event_type, subject).iter().map(|id| id.raw()).collect::<Vec<_>>()
        };
        assert_eq!(targets("a.b", None), [1]);
        assert_eq!(targets("a.b.c", Some("s")), [1, 2, 3]);
        assert_eq!(targets("a", Some("s")), [3]);
        assert_eq!(targets("a", None), [0i64; 0]);
        assert!(index.holds(WebhookId::from_raw(3)) && !index.holds(WebhookId::from_raw(4)));
    }

    /// What must not be looked at: a type finds the webhooks of its own prefixes and no other's.
    #[test]
    fn patterns_of_others_cost_nothing() {
        let entry = |n: i64| format!("tenant{n}.order.*");
        let webhooks: Vec<Webhook> = (0..10_000).map(|n| webhook(n, only(&[&entry(n)]), None)).collect();
        let index = Subscriptions::of(&webhooks);
        let mut positions = Vec::new();
        index.by_subject[&None].collect("tenant77.order.paid", &mut positions);
        assert_eq!(positions, [77]);
    }

    proptest! {
        #[test]
        fn the_index_finds_exactly_who_wants_an_event(
            selections in prop::collection::vec(
                (prop::option::of(prop::collection::vec("[ab](\\.[ab]){0,2}(\\.\\*)?", 1..4)), 0..3usize), 0..12,
            ),
            event_type in "[ab](\\.[ab]){0,3}",
            subject in 0..3usize,
        ) {
            let subjects = [None, Some("s"), Some("t")];
            let webhooks: Vec<Webhook> = (1..).zip(selections).map(|(n, (entries, subject))| {
                webhook(n, entries.map_or(EventSelection::All, EventSelection::Only), subjects[subject])
            }).collect();
            let wanting = webhooks.iter().filter(|webhook| wants(webhook, &event_type, subjects[subject]));
            let expected: Vec<WebhookId> = wanting.map(|webhook| webhook.id).collect();
            prop_assert_eq!(Subscriptions::of(&webhooks).candidates(&event_type, subjects[subject]), expected);
        }
    }
}
