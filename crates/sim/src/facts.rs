//! What the callers of the API know: what they asked for, when, and what they were told. The auditor believes this
//! and what receivers saw, and nothing that the engine thinks.

use std::collections::BTreeSet;

use bytes::Bytes;
use signalpost_core::ceilings::Ceilings;
use signalpost_core::order::OrderRule;
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::ingest::Receipt;
use signalpost_store::ledger::RequeueRule;

use crate::filters::{FILTERS, Says};
use crate::ground::Moment;
use crate::profiles::Style;

#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) workspaces: Vec<WorkspaceFacts>,
    pub(crate) webhooks: Vec<WebhookFacts>,
    /// The number of an event is its place here; its data says the number too.
    pub(crate) events: Vec<EventFacts>,
    /// Redeliveries by public id of the delivery.
    pub(crate) redeliveries: Vec<RedeliveryFacts>,
    /// Public ids of webhooks of which all lost deliveries were asked for once more, and when, once for each time.
    pub(crate) redelivered_lost: Vec<(String, Moment)>,
    /// What went against the contract of the API already when it was answered.
    pub(crate) findings: Vec<String>,
    pub(crate) jumps: Vec<Moment>,
    /// The most by which the wall clock ran fast or slow, in thousandths.
    pub(crate) drift_permille: u64,
    /// The most by which the wall clocks of nodes differ, in milliseconds.
    pub(crate) apart_ms: u64,
    pub(crate) deaf: Deaf,
    /// The server's rules; `None` when nothing is ever removed.
    pub(crate) retention: Option<RetentionRules>,
    /// When the lists were taken down; retention rested from then on.
    pub(crate) listed: Option<Moment>,
}

impl Facts {
    /// Whether two wall clocks may have shown different times at the same moment, or one the same time twice.
    pub(crate) const fn strays(&self) -> bool {
        !self.jumps.is_empty() || self.apart_ms > 0
    }
}

/// Whether processes may not have been woken for what was committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Deaf {
    #[default]
    Never,
    Sometimes,
}

pub(crate) struct WorkspaceFacts {
    pub(crate) public_id: String,
    pub(crate) style: Style,
    pub(crate) schedule_s: Vec<u64>,
    pub(crate) hosts: Vec<String>,
    /// Keys that its webhooks may be signed with.
    pub(crate) keys: Vec<KeyFacts>,
    /// What was read of its feed.
    pub(crate) feed: FeedFacts,
    pub(crate) tenancy: Tenancy,
    /// When its erasure was asked for.
    pub(crate) erased: Option<Moment>,
}

#[derive(Default)]
pub(crate) struct FeedFacts {
    /// Up to which everything was read.
    pub(crate) cursor: Option<i64>,
    /// Sequences of the events that came.
    pub(crate) read: BTreeSet<i64>,
    /// Up to which retention had removed what was not read yet.
    pub(crate) expired: Option<i64>,
}

/// A living key of a workspace.
#[derive(Clone)]
pub(crate) struct KeyFacts {
    pub(crate) public_id: String,
    pub(crate) secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenancy {
    Living,
    /// From the moment at which its erasure was asked for.
    Erased,
}

pub(crate) struct WebhookFacts {
    pub(crate) workspace: usize,
    pub(crate) public_id: String,
    /// In order; one begins after the one before it was answered.
    pub(crate) changes: Vec<Change>,
}

/// Something asked of the API about a webhook or a workspace, repeated until there was a clear answer.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) called: Moment,
    /// When it was answered.
    pub(crate) done: Option<Moment>,
    /// What the webhook is to be afterwards.
    pub(crate) wanted: Wanted,
    pub(crate) scope: Scope,
}

/// What a change speaks of. One that leaves a webhook's life alone cannot wake it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Life,
    Properties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    pub(crate) events: EventSelection,
    pub(crate) subject: Option<String>,
    /// One of [`FILTERS`], by its place.
    pub(crate) filter: Option<usize>,
    /// Its own, the workspace's for `None`.
    pub(crate) schedule_s: Option<Vec<u64>>,
    pub(crate) ceilings: Ceilings,
    /// Whether it is by key never changes.
    pub(crate) order: OrderRule,
    /// The value of the header that it has sent along, if any.
    pub(crate) token: Option<String>,
    /// Public id of the workspace's key to which it refers, where there are such keys.
    pub(crate) key: Option<String>,
    /// The secrets that sign, newest first. Empty where it would refer to a key and refers to none.
    pub(crate) signing: Vec<Signing>,
    pub(crate) life: Life,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Signing {
    /// Unknown when the answer that held it was lost.
    pub(crate) secret: Option<String>,
    pub(crate) until: Until,
}

/// How long a secret signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Replaced,
    /// By the wall clock.
    At(Timestamp),
    /// The answer that said so was lost.
    Unsure,
}

/// Enough of a secret to tell it from others in a history.
impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = self.secret.as_deref().and_then(|secret| secret.get(..10)).unwrap_or("unknown");
        write!(f, "{head} until {:?}", self.until)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Active,
    Disabled,
    Deleted,
}

pub(crate) struct EventFacts {
    pub(crate) workspace: usize,
    pub(crate) event_type: String,
    pub(crate) subject: Option<String>,
    pub(crate) ordering_key: Option<String>,
    pub(crate) producer_id: Option<String>,
    pub(crate) data: Bytes,
    pub(crate) called: Moment,
    /// When the last call about it was answered or cut off.
    pub(crate) ended: Option<Moment>,
    pub(crate) receipts: Vec<Receipt>,
    /// Published again after it had been acknowledged: with retention it may have been stored anew.
    pub(crate) again: Again,
    pub(crate) promise: Promise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
}

/// What a producer may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// No clear answer: it may be stored or not.
    Unknown,
    /// Acknowledged.
    Stored,
    /// Refused for good: it must not be there.
    Refused,
}

pub(crate) struct RedeliveryFacts {
    pub(crate) delivery: String,
    pub(crate) rule: RequeueRule,
    pub(crate) promise: Promise,
    pub(crate) called: Moment,
    /// When the call was answered or cut off.
    pub(crate) ended: Moment,
}

impl Wanted {
    /// The rule of the product, written down a second time.
    pub(crate) fn wants(&self, event: &EventFacts) -> bool {
        self.would_want(event) && self.filter_says(event) == Says::Admits
    }

    /// The same before the filter is asked.
    pub(crate) fn would_want(&self, event: &EventFacts) -> bool {
        let about = self.subject.is_none() || self.subject == event.subject;
        self.life == Life::Active && self.selects(&event.event_type) && about
    }

    pub(crate) fn filter_says(&self, event: &EventFacts) -> Says {
        self.filter.map_or(Says::Admits, |place| FILTERS[place].says_of(event))
    }

    /// The same webhook for events of all types.
    pub(crate) fn for_all(self) -> Self {
        Self { events: EventSelection::All, ..self }
    }

    pub(crate) fn selects(&self, event_type: &str) -> bool {
        match &self.events {
            EventSelection::All => true,
            EventSelection::Only(entries) => entries.iter().any(|entry| match entry.split_once('*') {
                Some((word, _)) => event_type.starts_with(word),
                None => entry == event_type,
            }),
        }
    }
}

impl WebhookFacts {
    /// Everything that the webhook may have been at some moment of this time, oldest first. Before it was asked for
    /// it was nothing.
    pub(crate) fn between(&self, from: Moment, to: Moment) -> Vec<Option<&Wanted>> {
        let mut states = Vec::new();
        let first_called = self.changes.first().map(|change| change.called);
        if first_called.is_none_or(|called| called > from) || !self.is_made_by(from) {
            states.push(None);
        }
        for (place, change) in self.changes.iter().enumerate() {
            let begins = change.called;
            let ends = self.changes.get(place + 1).and_then(|next| next.done);
            if begins <= to && ends.is_none_or(|ends| ends >= from) {
                states.push(Some(&change.wanted));
            }
        }
        states
    }

    fn is_made_by(&self, at: Moment) -> bool {
        self.changes.first().and_then(|change| change.done).is_some_and(|done| done <= at)
    }

    pub(crate) fn wanted_last(&self) -> Option<&Wanted> {
        self.changes.last().map(|change| &change.wanted)
    }
}

/// The data of event `number`: JSON that says the number and whose it is.
pub(crate) fn data_of(number: usize, workspace: usize, padding: usize) -> Bytes {
    Bytes::from(format!("{{ \"n\": {number}, \"w\":{workspace},\"pad\":\"{}\" }}", "é".repeat(padding)))
}

/// The number in data made by [`data_of`].
pub(crate) fn number_in(data: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(data).ok()?;
    let digits = text.strip_prefix("{ \"n\": ")?;
    digits.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(order: u64) -> Moment {
        Moment { order, us: order, wall: Timestamp::from_ms(0) }
    }

    fn change(called: u64, done: u64, life: Life) -> Change {
        let wanted = Wanted {
            url: String::new(),
            events: EventSelection::All,
            subject: None,
            filter: None,
            key: None,
            schedule_s: None,
            ceilings: Ceilings::default(),
            order: OrderRule::default(),
            token: None,
            signing: Vec::new(),
            life,
        };
        Change { called: moment(called), done: Some(moment(done)), wanted, scope: Scope::Life }
    }

    #[test]
    fn a_webhook_is_both_while_it_changes() {
        let changes = vec![change(10, 20, Life::Active), change(30, 40, Life::Disabled)];
        let facts = WebhookFacts { workspace: 0, public_id: String::new(), changes };
        let lives = |from, to| {
            let states = facts.between(moment(from), moment(to));
            states.into_iter().map(|state| state.map(|wanted| wanted.life)).collect::<Vec<_>>()
        };
        let (active, disabled) = (Some(Life::Active), Some(Life::Disabled));
        assert_eq!(lives(1, 5), [None]);
        assert_eq!(lives(1, 12), [None, active]);
        assert_eq!(lives(21, 29), [active]);
        assert_eq!(lives(21, 35), [active, disabled]);
        assert_eq!(lives(35, 38), [active, disabled]);
        assert_eq!(lives(41, 45), [disabled]);
    }

    #[test]
    fn data_says_its_number() {
        assert_eq!(number_in(&data_of(17, 2, 3)), Some(17));
        assert_eq!(number_in(b"{}"), None);
    }
}
