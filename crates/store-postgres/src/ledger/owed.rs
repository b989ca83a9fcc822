//! What the events of a commit will be owed: rows of `due` and `feed`, gathered before any is written.

use std::collections::HashSet;

use futures_util::future::try_join;
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::order::{OrderKey, OrderPlace};
use signalpost_store::row::{DueAt, Fields};

use super::accept::Incoming;
use super::order::HAVE_KEY;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const INSERT: &str = "INSERT INTO due
    (webhook, due_at, event, born, steps, tries, order_key, order_sequence, due_then)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[])
    ON CONFLICT (webhook, due_at, event) DO UPDATE SET born = excluded.born, steps = excluded.steps,
        tries = excluded.tries, order_key = excluded.order_key, order_sequence = excluded.order_sequence,
        due_then = excluded.due_then";
pub(crate) const INSERT_FEED: &str = "INSERT INTO feed (workspace, sequence, event)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])";

/// Rows that will be owed, and which keys have something in front.
#[derive(Default)]
pub(crate) struct Owed {
    due: DueRows,
    feed: [Vec<i64>; 3],
    /// Webhooks and keys of which something is owed, held or blocks.
    taken: HashSet<(i64, i64)>,
}

/// Rows of `due`, column by column.
#[derive(Default)]
pub(crate) struct DueRows {
    webhooks: Vec<i64>,
    due_at: Vec<i64>,
    events: Vec<i64>,
    born: Vec<i64>,
    steps: Vec<i64>,
    tries: Vec<i64>,
    keys: Vec<Option<i64>>,
    sequences: Vec<Option<i64>>,
    then: Vec<Option<i64>>,
}

impl DueRows {
    pub(crate) fn push(&mut self, due: &Due, at: DueAt) {
        let (due_at, then) = at.columns();
        self.webhooks.push(due.id.webhook.raw());
        self.due_at.push(due_at);
        self.events.push(due.id.event.raw());
        self.born.push(due.born.0);
        self.steps.push(due.steps.into());
        self.tries.push(due.tries.into());
        self.keys.push(due.order.map(|place| place.key.raw()));
        self.sequences.push(due.order.map(|place| place.sequence.0));
        self.then.push(then);
    }

    /// In place of what a cut has ended and no sweep has removed yet.
    pub(crate) async fn insert(&self, session: &Session) -> Result<(), Failure> {
        if self.webhooks.is_empty() {
            return Ok(());
        }
        let Self { webhooks, due_at, events, born, steps, tries, keys, sequences, then } = self;
        session
            .execute(INSERT, &[webhooks, due_at, events, born, steps, tries, keys, sequences, then])
            .await?;
        Ok(())
    }
}

impl Owed {
    /// Asks which keys of these events have something in front already.
    pub(crate) async fn look(
        session: &Session,
        incoming: impl Iterator<Item = &Incoming>,
    ) -> Result<Self, Failure> {
        let keys = incoming.flat_map(Incoming::ordered_keys);
        let (webhooks, keys): (Vec<i64>, Vec<i64>) =
            keys.map(|(webhook, key)| (webhook.raw(), key.raw())).unzip();
        let mut owed = Self::default();
        if webhooks.is_empty() {
            return Ok(owed);
        }
        let taken = session
            .all(HAVE_KEY, &[&webhooks, &keys], |row| {
                let mut fields = Fields::new(row, "due", 2);
                Ok((fields.integer("webhook")?, fields.integer("order_key")?))
            })
            .await?;
        owed.taken = taken.into_iter().collect();
        Ok(owed)
    }

    /// A new event is owed to a target at once.
    pub(super) fn owe(&mut self, event: &Event, webhook: WebhookId) {
        let due = new_due(event, webhook, None);
        self.due.push(&due, DueAt::Then(due.due_at));
    }

    /// A new event is owed to a webhook that keeps an order: at once when it is the first of its key, and then it is
    /// given; else when it comes to be.
    pub(super) fn owe_in_order(&mut self, event: &Event, webhook: WebhookId, key: OrderKey) -> Option<Due> {
        let due = new_due(event, webhook, Some(OrderPlace { key, sequence: event.sequence }));
        let is_first = self.taken.insert((webhook.raw(), key.raw()));
        self.due
            .push(&due, if is_first { DueAt::Then(due.due_at) } else { DueAt::Held { then: due.due_at } });
        is_first.then_some(due)
    }

    pub(super) fn list_in_feed(&mut self, event: &Event) {
        let row = [event.workspace.raw(), event.sequence.0, event.id.raw()];
        self.feed.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }

    pub(super) async fn insert(&self, session: &Session) -> Result<(), Failure> {
        try_join(self.due.insert(session), self.insert_feed(session)).await?;
        Ok(())
    }

    async fn insert_feed(&self, session: &Session) -> Result<(), Failure> {
        let [workspaces, sequences, events] = &self.feed;
        if !events.is_empty() {
            session.execute(INSERT_FEED, &[workspaces, sequences, events]).await?;
        }
        Ok(())
    }
}

fn new_due(event: &Event, webhook: WebhookId, order: Option<OrderPlace>) -> Due {
    let id = DeliveryId { event: event.id, webhook };
    Due { id, due_at: event.accepted_at, born: event.sequence, steps: 0, tries: 0, order }
}
