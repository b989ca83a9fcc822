//! Telling other nodes of what was committed here, and hearing of it from them: `NOTIFY` of the server, behind the commit.
//!
//! All of it are hints. What is owed is looked for from time to time whoever rings, and so is what was changed.

mod hear;
mod message;
mod ring;

use std::cell::RefCell;
use std::collections::BTreeSet;

use signalpost_core::id::WebhookId;
use signalpost_core::lane_group::LaneGroup;
use signalpost_store::Ownership;
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

/// Webhooks that are owed something, each once, and the newest of the rest.
#[derive(Default)]
struct Pending {
    owed: BTreeSet<WebhookId>,
    changed: bool,
    seen: bool,
    given: bool,
}

impl Bells {
    /// Notes what of a commit is other nodes' business.
    pub(crate) fn note(&self, news: &News, ownership: &Ownership) {
        let accepted = news.accepted.iter().flat_map(|stored| stored.event.targets.iter().copied());
        let requeued = news.requeued.iter().map(|(due, _)| due.id.webhook);
        let released = news.released.iter().map(|due| due.id.webhook);
        let owed = accepted.chain(requeued).chain(released);
        let mut pending = self.pending.borrow_mut();
        pending.owed.extend(owed.filter(|webhook| ownership.epoch_of(LaneGroup::of(*webhook)).is_none()));
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
    fn is_empty(&self) -> bool {
        self.owed.is_empty() && !self.changed && !self.seen && !self.given
    }
}

/// Every statement of these, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ring::NOTIFY];
