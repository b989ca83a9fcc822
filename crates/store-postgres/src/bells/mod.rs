//! Telling other nodes of what was committed here, and hearing of it from them: `NOTIFY` of the server, behind the commit.
//!
//! All of it are hints. What is owed is looked for from time to time whoever rings, and so is what was changed.

mod hear;
mod message;
mod ring;

use std::cell::RefCell;
use std::collections::BTreeMap;

use signalpost_core::id::{EventId, WebhookId};
use signalpost_core::lane_group::LaneGroup;
use signalpost_store::Ownership;
use signalpost_store::ledger::Stored;
use tokio::sync::Notify;

use crate::write::News;

pub(crate) use self::hear::hear;
pub(crate) use self::ring::{ring, tell_given};

/// What is to be told, and what wakes those that wait for others.
#[derive(Default)]
pub(crate) struct Bells {
    pending: RefCell<Pending>,
    /// There is something to tell.
    rung: Notify,
    /// Others have changed something, or may have.
    pub(crate) changed: Notify,
    /// Others have taken up what was changed, or may have.
    pub(crate) seen: Notify,
}

/// Of a webhook named at once; one that is owed more had better be looked at as a whole.
const NAMED_MAX: usize = 128;

/// What a webhook is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owed {
    /// Exactly these events, as they were accepted.
    Events(Vec<EventId>),
    Something,
}

/// What webhooks are owed, and the newest of the rest.
#[derive(Default)]
struct Pending {
    owed: BTreeMap<WebhookId, Owed>,
    changed: bool,
    seen: bool,
    given: bool,
}

impl Bells {
    /// Notes what of a commit is other nodes' business.
    pub(crate) fn note(&self, news: &News, ownership: &Ownership) {
        let mut pending = self.pending.borrow_mut();
        let is_others = |webhook: &WebhookId| ownership.epoch_of(LaneGroup::of(*webhook)).is_none();
        for Stored { event, told_apart } in &news.accepted {
            let named =
                event.targets.iter().filter(|webhook| is_others(webhook) && !told_apart.contains(webhook));
            named.for_each(|webhook| pending.name(*webhook, event.id));
        }
        let requeued = news.requeued.iter().map(|(due, _)| due.id.webhook);
        let others = requeued.chain(news.released.iter().map(|due| due.id.webhook)).filter(is_others);
        pending.owed.extend(others.map(|webhook| (webhook, Owed::Something)));
        pending.changed |= news.changed.is_some();
        if !pending.is_empty() {
            self.rung.notify_one();
        }
    }

    /// Notes that lane groups are nobody's.
    pub(crate) fn note_given(&self) {
        self.pending.borrow_mut().given = true;
        self.rung.notify_one();
    }

    /// Notes that what others have changed is taken up here.
    pub(crate) fn note_seen(&self) {
        self.pending.borrow_mut().seen = true;
        self.rung.notify_one();
    }
}

impl Pending {
    fn name(&mut self, webhook: WebhookId, event: EventId) {
        let owed = self.owed.entry(webhook).or_insert_with(|| Owed::Events(Vec::new()));
        match owed {
            Owed::Events(events) if events.len() < NAMED_MAX => events.push(event),
            Owed::Events(_) | Owed::Something => *owed = Owed::Something,
        }
    }

    fn is_empty(&self) -> bool {
        self.owed.is_empty() && !self.changed && !self.seen && !self.given
    }
}

/// Every statement of these, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ring::NOTIFY];
