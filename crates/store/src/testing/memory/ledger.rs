//! The model's writes of events and attempts: accept, finish, requeue.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::attempt::{Attempt, Verdict};
use signalpost_core::delivery::{CutReason, Due, Place, RoundStanding, Step, place_of, unsent_round};
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::limits::DELIVERY_STEPS_MAX;
use signalpost_core::order::{OrderKey, OrderPlace};
use signalpost_core::time::Timestamp;

use super::data::{Data, EventRow};
use crate::StoreError;
use crate::ledger::{
    AcceptEvent, Accepted, Backlog, Dedupe, DeliveryRecord, Finished, HealthChange, Repeated, Requeue,
    RequeueLost, Stored,
};

/// What an event that identifies itself by its producer's id turned out to be.
enum Known {
    /// Nothing like it is stored.
    New,
    /// It was stored before.
    Stored(Arc<Event>),
    /// It is the same as one further up in the same call, which has this place.
    Above(usize),
}

impl Data {
    /// Every refusal is decided before anything is stored: first the versions of all events, then their ids.
    /// What was newly stored is left in `stored`.
    pub(super) fn accept(
        &mut self,
        events: Vec<AcceptEvent>,
        stored: &mut Vec<Stored>,
    ) -> Result<Vec<Accepted>, StoreError> {
        for event in &events {
            let row = self.living_workspace(event.workspace).ok_or(StoreError::Missing("workspace"))?;
            if row.version != event.version {
                return Err(StoreError::CatalogMoved);
            }
        }
        let known = self.recognise(&events)?;
        let mut answers: Vec<Accepted> = Vec::new();
        for (event, known) in events.into_iter().zip(known) {
            let answer = match known {
                Known::New => {
                    let new = self.append_event(event);
                    let answer = answer_for(&new.event, Repeated::No);
                    stored.push(new);
                    answer
                }
                Known::Stored(first) => answer_for(&first, Repeated::Yes),
                Known::Above(place) => Accepted { repeated: Repeated::Yes, ..answers[place].clone() },
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    fn recognise(&self, events: &[AcceptEvent]) -> Result<Vec<Known>, StoreError> {
        let mut above: BTreeMap<(WorkspaceId, &str), (usize, [u8; 32])> = BTreeMap::new();
        let mut known = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let (Some(dedupe), Some(id)) = (event.dedupe, event.content.producer_id.as_deref()) else {
                known.push(Known::New);
                continue;
            };
            if let Some((first, fingerprint)) = above.get(&(event.workspace, id)) {
                same_or_refused(*fingerprint, dedupe)?;
                known.push(Known::Above(*first));
            } else if let Some((first, fingerprint)) = self.stored_under(event.workspace, id, dedupe) {
                same_or_refused(fingerprint, dedupe)?;
                known.push(Known::Stored(first));
            } else {
                above.insert((event.workspace, id), (place, dedupe.fingerprint));
                known.push(Known::New);
            }
        }
        Ok(known)
    }

    /// The event that a producer's id stands for at present: the last one stored that it identifies, unless that
    /// is too old. Events for which the id was a mere label do not count.
    fn stored_under(
        &self,
        workspace: WorkspaceId,
        id: &str,
        dedupe: Dedupe,
    ) -> Option<(Arc<Event>, [u8; 32])> {
        let identified = self.events_of(workspace).filter_map(|row| Some((&row.event, row.fingerprint?)));
        let same_id = identified.filter(|(event, _)| event.content.producer_id.as_deref() == Some(id));
        let (event, fingerprint) = same_id.max_by_key(|(event, _)| event.sequence)?;
        (event.accepted_at >= dedupe.not_before).then(|| (Arc::clone(event), fingerprint))
    }

    fn append_event(&mut self, accept: AcceptEvent) -> Stored {
        let AcceptEvent { id, workspace, content, targets, ordered, accepted_at, dedupe, .. } = accept;
        let key = content.ordering_key.as_deref().map(OrderKey::of);
        let ordered = if key.is_some() { ordered } else { Vec::new() };
        self.note_id(id.raw());
        let row = self.living_workspace_mut(workspace).expect("checked above");
        let sequence = row.next_sequence();
        for webhook in &targets {
            let delivery = DeliveryId { event: id, webhook: *webhook };
            let order = key.filter(|_| ordered.contains(webhook)).map(|key| OrderPlace { key, sequence });
            let due = Due { id: delivery, due_at: accepted_at, born: sequence, steps: 0, tries: 0, order };
            self.releasing(due, |data| data.due.insert(delivery, due));
        }
        let payload_removed_at = None;
        let event =
            Arc::new(Event { id, workspace, sequence, content, targets, accepted_at, payload_removed_at });
        let fingerprint = dedupe.map(|dedupe| dedupe.fingerprint);
        self.events.insert(id, EventRow { event: Arc::clone(&event), fingerprint });
        Stored { event, told_apart: ordered }
    }

    pub(super) fn finish(&mut self, finished: &Finished) {
        self.releasing(finished.due, |data| data.record(finished));
    }

    fn record(&mut self, finished: &Finished) {
        let Finished { workspace, due, attempt, health, concurrency, epoch: _ } = finished;
        if !self.events.contains_key(&due.id.event) {
            return;
        }
        let (number, verdict) = match self.place_of(due, attempt) {
            Place::Recorded => return,
            Place::Current { number } => (number, attempt.verdict),
            Place::Superseded { number } => (number, Verdict::Superseded),
        };
        let recorded = Attempt { number, verdict, ..attempt.clone() };
        self.steps.entry(due.id).or_default().insert(number, Step::Attempted(recorded));
        if verdict != Verdict::Superseded {
            self.due.remove(&due.id);
        }
        let Some(row) = self.webhooks.get(&due.id.webhook) else { return };
        if let (Some(due_at), false) = (verdict.next_at(), row.has_ended(due.born)) {
            let again = Due { due_at, steps: number, tries: due.tries_after(verdict), ..*due };
            self.due.insert(due.id, again);
        }
        if verdict == Verdict::GiveUp && self.blocks(due) {
            // It is not owed at any time.
            self.due.insert(due.id, Due { due_at: Timestamp::from_ms(i64::MAX), ..*due });
            self.blocked.insert(due.id);
        }
        if let Some(health) = health {
            self.change_health(*workspace, finished, *health);
        }
        if let Some(row) = self.living_webhook_mut(*workspace, due.id.webhook) {
            row.webhook.concurrency = concurrency.or(row.webhook.concurrency);
        }
        self.leave_after(finished);
    }

    /// Its own number as long as nobody has it.
    fn place_of(&self, due: &Due, attempt: &Attempt) -> Place {
        let steps: Vec<Step> =
            self.steps.get(&due.id).into_iter().flat_map(|known| known.values().cloned()).collect();
        if steps.iter().all(|step| step.number() != attempt.number) {
            return Place::Current { number: attempt.number };
        }
        let owed = self.due.get(&due.id).is_some_and(|row| row.due_at == due.due_at && row.born == due.born);
        let cut = self.webhooks.get(&due.id.webhook).is_some_and(|row| row.has_ended(due.born));
        let standing = match (cut, owed) {
            (true, _) => RoundStanding::Cut,
            (false, true) => RoundStanding::Owed,
            (false, false) => RoundStanding::Gone,
        };
        place_of(attempt, due, standing, &steps)
    }

    /// A failure count alone changes neither the workspace's version nor the webhook's `updated_at`.
    fn change_health(&mut self, workspace: WorkspaceId, finished: &Finished, health: HealthChange) {
        let id = finished.due.id.webhook;
        let Some(row) = self.living_webhook_mut(workspace, id) else { return };
        row.webhook.health = health.health;
        if let Some(reason) = health.disable.filter(|reason| row.webhook.state.gives_way_to(*reason)) {
            self.disable(id, finished.attempt.at, reason);
            self.bump_version(workspace);
        }
        if health.backlog == Backlog::Skipped {
            self.cut(id, finished.attempt.at, CutReason::Skipped);
        }
    }

    pub(super) fn requeue(&mut self, params: Requeue) -> Result<Round, StoreError> {
        let Requeue { workspace, delivery: id, at, rule } = params;
        let record = self.delivery(workspace, id).ok_or(StoreError::Missing("delivery"))?;
        let row = self.living_webhook(workspace, id.webhook);
        let row = row.ok_or(StoreError::WrongState("the webhook is deleted"))?;
        let state = record.summary.state;
        rule.check(row.webhook.state, state, last_number(&record))?;
        if record.event.payload_removed_at.is_some() {
            return Err(StoreError::WrongState(
                "the payload of the event was removed, as its retention asks",
            ));
        }
        Ok(match unsent_round(id, state, &record.steps) {
            Some(due) => Round::Unsent(Due { order: self.order_of(id), ..due }),
            None => self.begin_round(workspace, &record, at),
        })
    }

    /// How many begin a new round, and what is owed anew.
    pub(super) fn requeue_lost(&mut self, params: &RequeueLost) -> (usize, Vec<Due>) {
        let RequeueLost { workspace, deliveries, at } = params;
        let (mut requeued, mut owed) = (0, Vec::new());
        for id in deliveries {
            let Some(record) = self.delivery(*workspace, *id) else { continue };
            let lives = self.living_webhook(*workspace, id.webhook).is_some();
            let lost = record.summary.state.is_lost() && last_number(&record) < DELIVERY_STEPS_MAX;
            if lives && lost && record.event.payload_removed_at.is_none() {
                requeued += 1;
                owed.extend(self.begin_round(*workspace, &record, *at).begun());
            }
        }
        (requeued, owed)
    }

    /// In place of whatever the delivery was owed.
    pub(super) fn begin_round(
        &mut self,
        workspace: WorkspaceId,
        record: &DeliveryRecord,
        at: Timestamp,
    ) -> Round {
        let id = record.summary.id;
        let born = self.living_workspace_mut(workspace).expect("its delivery exists").next_sequence();
        let (number, order) = (last_number(record) + 1, self.order_of(id));
        self.steps.entry(id).or_default().insert(number, Step::Requeued { number, at, born });
        let due = Due { id, due_at: at, born, steps: number, tries: 0, order };
        self.due.insert(id, due);
        self.blocked.remove(&id);
        if self.owed().any(|owed| owed.id == id) { Round::Begun(due) } else { Round::Held(due) }
    }

    /// The place of a delivery that is pending or blocks its key.
    fn order_of(&self, id: DeliveryId) -> Option<OrderPlace> {
        self.living().find(|due| due.id == id)?.order
    }
}

/// What a requeue has led to.
#[derive(Clone, Copy)]
pub(super) enum Round {
    Begun(Due),
    /// It has begun, and others of its key come first.
    Held(Due),
    /// It had begun before, and nobody is told again.
    Unsent(Due),
}

impl Round {
    pub(super) const fn begun(self) -> Option<Due> {
        match self {
            Self::Begun(due) => Some(due),
            Self::Held(_) | Self::Unsent(_) => None,
        }
    }

    pub(super) const fn due(self) -> Due {
        match self {
            Self::Begun(due) | Self::Held(due) | Self::Unsent(due) => due,
        }
    }
}

pub(super) fn last_number(record: &DeliveryRecord) -> u32 {
    record.steps.last().map_or(0, Step::number)
}

fn answer_for(event: &Event, repeated: Repeated) -> Accepted {
    Accepted { id: event.id, sequence: event.sequence, deliveries: event.targets.len(), repeated }
}

fn same_or_refused(known: [u8; 32], dedupe: Dedupe) -> Result<(), StoreError> {
    if known == dedupe.fingerprint { Ok(()) } else { Err(StoreError::EventIdReused) }
}
