//! Finding what a replay sends: a walk over the past, newest first, one bounded look at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::event::Event;
use signalpost_core::explain::FilterVerdict;
use signalpost_core::id::{DeliveryId, EventId, WebhookId, first_id_at};
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_core::matching::{covers, is_about, selects};
use signalpost_core::replay::{CancelReason, Replay, Selection, Which};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_filter::Subject;
use signalpost_store::StoreError;
use signalpost_store::ledger::{DeliveryPage, DeliverySummary, ListDeliveries, ListEvents};
use signalpost_store::replays::PlanReplay;

use crate::Engine;
use crate::fan_out::Pace;

/// By how much ids may run ahead of when events were accepted, in milliseconds: a clock that was set back does not take ids
/// back with it. The walk begins so far above the window. A day is more than a wrong time zone
/// makes, and costs no more than looks that find nothing.
const IDS_AHEAD_MS: i64 = 24 * 3_600_000;
/// By how much an id may be behind: both are read from the clock, one shortly after the other.
const IDS_BEHIND_MS: i64 = 60_000;

/// Events that one look reads. They come with their payloads, each of up to a mebibyte, which one of the store's readers reads
/// and the process holds until the look has ended.
const EVENTS_OF_A_LOOK: usize = 25;

/// What one look has found.
struct Found {
    events: Vec<EventId>,
    /// Below which the next look begins; `None` when there is nothing more.
    next: Option<EventId>,
}

impl Engine {
    /// Looks at the next part of the past, and adds to the plan what belongs to it. The job as it is then.
    pub(super) async fn plan_more(&self, replay: &Replay) -> Result<Replay, StoreError> {
        let Selection { source, which, subject, .. } = &replay.selection;
        let source = match self.remembered_by_id(replay.workspace, *source).await? {
            Some(Remembered::Living(webhook)) => webhook,
            Some(Remembered::Deleted(_)) | None => {
                return self.end_replay(replay, CancelReason::WebhookDeleted).await;
            }
        };
        let from = replay.progress.planned_to;
        let below = from.unwrap_or_else(|| top_of(replay));
        let found = match which {
            Which::Failed | Which::All if subject.is_none() => self.look_at_deliveries(replay, below).await?,
            Which::Failed | Which::All | Which::NeverAttempted => {
                self.look_at_events(replay, &source, below).await?
            }
        };
        let Found { events: found, next } = found;
        let next = next.filter(|next| !is_over(replay, *next));
        let at = self.clock.now();
        self.store.plan_replay(PlanReplay { replay: replay.id, from, found, next, at }).await
    }

    /// Where deliveries alone say whether they belong to it.
    async fn look_at_deliveries(&self, replay: &Replay, below: EventId) -> Result<Found, StoreError> {
        let page = self.deliveries_below(replay, below, PAGE_ROWS_MAX).await?;
        let selection = &replay.selection;
        let belongs = |delivery: &&DeliverySummary| {
            is_within(selection, delivery.created_at, &delivery.event_type)
                && selection.which.takes(delivery.state, delivery.attempts)
        };
        let events = page.rows.iter().filter(belongs).map(|delivery| delivery.id.event).collect();
        Ok(Found { events, next: page.next.map(|next| next.event) })
    }

    /// Where events must be looked at: for their subjects, and because some were never meant for the source.
    async fn look_at_events(
        &self,
        replay: &Replay,
        source: &Webhook,
        below: EventId,
    ) -> Result<Found, StoreError> {
        let selection = &replay.selection;
        let page = self.store.list_events(ListEvents {
            workspace: replay.workspace,
            event_type: only_type(selection),
            subject: selection.subject.clone(),
            before: Some(below),
            limit: EVENTS_OF_A_LOOK,
        });
        let page = page.await?;
        let is_candidate = |event: &&Arc<Event>| {
            event.payload_removed_at.is_none()
                && is_within(selection, event.accepted_at, &event.content.event_type)
        };
        let candidates: Vec<_> = page.rows.iter().filter(is_candidate).collect();
        let meant = candidates.iter().filter(|event| event.targets.contains(&source.id));
        let taken = self.taken_of(replay, meant.map(|event| event.id).collect()).await?;
        let (mut events, mut pace) = (Vec::new(), Pace::by(self.clock.as_ref()));
        for event in candidates {
            let belongs = match event.targets.contains(&source.id) {
                true => taken.get(&event.id).copied().unwrap_or(false),
                false => {
                    selection.which == Which::NeverAttempted && self.missed(event, source, &mut pace).await
                }
            };
            if belongs {
                events.push(event.id);
            }
        }
        Ok(Found { events, next: page.next })
    }

    /// Of events that were meant for the source, newest first: whether their deliveries belong to the replay.
    async fn taken_of(
        &self,
        replay: &Replay,
        events: Vec<EventId>,
    ) -> Result<BTreeMap<EventId, bool>, StoreError> {
        let (Some(newest), Some(oldest)) = (events.first(), events.last()) else {
            return Ok(BTreeMap::new());
        };
        let which = replay.selection.which;
        let (mut taken, mut below) = (BTreeMap::new(), Some(EventId::from_raw(newest.raw() + 1)));
        while let Some(from) = below.filter(|below| below > oldest) {
            let page = self.deliveries_below(replay, from, events.len()).await?;
            let judged = page.rows.iter().map(|row| (row.id.event, which.takes(row.state, row.attempts)));
            taken.extend(judged);
            below = page.next.map(|next| next.event);
        }
        Ok(taken)
    }

    async fn deliveries_below(
        &self,
        replay: &Replay,
        below: EventId,
        limit: usize,
    ) -> Result<DeliveryPage, StoreError> {
        let lowest = WebhookId::from_raw(0);
        let params = ListDeliveries {
            workspace: replay.workspace,
            webhook: Some(replay.selection.source),
            event: None,
            status: None,
            before: Some(DeliveryId { event: below, webhook: lowest }),
            limit,
        };
        self.store.list_deliveries(params).await
    }

    /// Whether an event that was not meant for the source would be by what it selects now. One that came after its last change
    /// while it was on was published for another alone, as tests are.
    async fn missed(&self, event: &Event, source: &Webhook, pace: &mut Pace<'_>) -> bool {
        let could_be = event.sequence <= source.settled_after || !source.state.is_active();
        if !could_be
            || !selects(&source.events, &event.content.event_type)
            || !is_about(source, event.content.subject.as_deref())
        {
            return false;
        }
        let Some(filter) = &source.filter else { return true };
        let (verdict, steps) = {
            let subject = Subject::of(&event.content);
            (self.filters.judge(filter, &subject), subject.steps())
        };
        pace.spend(steps).await;
        verdict == FilterVerdict::Admits
    }
}

/// Above everything that a replay may send: what was accepted after it was made has a higher id than its own.
fn top_of(replay: &Replay) -> EventId {
    let window = first_id_at(replay.selection.until.plus_ms(IDS_AHEAD_MS));
    EventId::from_raw(replay.id.raw().min(window))
}

/// Whether all events below were accepted before the window.
fn is_over(replay: &Replay, below: EventId) -> bool {
    below.raw() <= first_id_at(replay.selection.since.plus_ms(-IDS_BEHIND_MS))
}

fn is_within(selection: &Selection, accepted_at: Timestamp, event_type: &str) -> bool {
    let in_time = selection.since <= accepted_at && accepted_at < selection.until;
    let types = &selection.types;
    in_time && (types.is_empty() || types.iter().any(|entry| covers(entry, event_type)))
}

/// The one type that is asked for, if it is one: the store finds its events by it.
fn only_type(selection: &Selection) -> Option<String> {
    match selection.types.as_slice() {
        [only] if !only.ends_with('*') => Some(only.clone()),
        _ => None,
    }
}
