//! Accepting events: check, choose targets, commit. The answer comes after the sync to disk.

use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::event::{EventContent, Sequence, fingerprint};
use signalpost_core::id::{EventId, WebhookId};
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::limits::{BATCH_EVENTS_MAX, EVENT_ID_KEPT_MS, FILTER_STEPS_PER_CALL_MAX};
use signalpost_core::profile::EventIdRule;
use signalpost_core::time::Timestamp;
use signalpost_store::ledger::{AcceptEvent, Accepted, Dedupe};
use signalpost_store::{Done, StoreError};

use crate::Engine;
use crate::decisions::Decisions;
use crate::directory::View;
use crate::event_check::check_all;
use crate::fan_out::{Pace, TurnedAway};

/// How often targets are chosen again because webhooks changed under our hands, before the caller is told to
/// come back. Each round needs a change of the same workspace within some milliseconds.
pub(crate) const CHOICES_MAX: usize = 16;

/// An event as its producer gives it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub content: EventContent,
    /// The time in `content` when the producer gave it, `None` when it is the time of arrival.
    pub given_time: Option<Timestamp>,
}

/// What the producer is told once the event is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The producer's own id where it identifies the event, else ours.
    pub id: String,
    pub sequence: Sequence,
    pub deliveries: usize,
}

/// What is to be accepted.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'e> {
    /// For all webhooks that want them.
    Published(&'e [NewEvent]),
    /// For one webhook, whatever it selects.
    Test(&'e NewEvent, WebhookId),
}

/// Events with their targets.
#[derive(Default)]
struct Chosen {
    events: Vec<AcceptEvent>,
    /// What filters did, in the order of the events.
    turned_away: Vec<TurnedAway>,
}

impl Engine {
    /// Stores events and what is owed for them, all or nothing. When this returns they are on disk.
    ///
    /// Errors: `NotFound` for the workspace, `Invalid` for a content that its dialect does not permit (fields are
    /// prefixed with the event's position when there are several), `Conflict` for an event id used for something
    /// else, `TooLarge` for too many events or too much work for filters, `Unavailable` when nothing could be stored.
    pub async fn publish(&self, workspace: &str, events: Vec<NewEvent>) -> Result<Vec<Receipt>, Error> {
        match self.publish_with(workspace, events, None).await? {
            Done::Now(receipts) | Done::Before(receipts) => Ok(receipts),
        }
    }

    /// As [`Self::publish`], once: the same call gets the first answer, whatever has changed since. `KeyReused` when
    /// it asked for something else.
    pub async fn publish_once(
        &self,
        workspace: &str,
        events: Vec<NewEvent>,
        call: KeyedCall,
    ) -> Result<Done<Vec<Receipt>, Vec<Receipt>>, Error> {
        self.publish_with(workspace, events, Some(call)).await
    }

    async fn publish_with(
        &self,
        workspace: &str,
        events: Vec<NewEvent>,
        call: Option<KeyedCall>,
    ) -> Result<Done<Vec<Receipt>, Vec<Receipt>>, Error> {
        if events.len() > BATCH_EVENTS_MAX {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("a batch may hold at most {BATCH_EVENTS_MAX} events"),
            ));
        }
        let view = self.directory.view(workspace).await?;
        check_all(&view.profile, &events)?;
        let (view, done) = self.accept(view, Wanted::Published(&events), call).await?;
        Ok(match done {
            Done::Now(accepted) => Done::Now(receipts(&view, &events, accepted)),
            Done::Before(accepted) => Done::Before(receipts(&view, &events, accepted)),
        })
    }

    /// Has what is chosen committed, once for a call with a key, and chooses anew when webhooks have changed meanwhile.
    pub(crate) async fn accept(
        &self,
        mut view: Arc<View>,
        wanted: Wanted<'_>,
        call: Option<KeyedCall>,
    ) -> Result<(Arc<View>, Done<Vec<Accepted>, Vec<Accepted>>), Error> {
        let mut decisions = Decisions::default();
        for _ in 0..CHOICES_MAX {
            let Chosen { events, turned_away } = match self.choose(&view, wanted, &mut decisions).await {
                Ok(chosen) => chosen,
                Err(refusal) => {
                    let before = self.accepted_before(&view, wanted, call).await?.ok_or(refusal)?;
                    return Ok((view, Done::Before(before)));
                }
            };
            let done = match call {
                None => self.store.accept(events).await.map(Done::Now),
                Some(call) => self.store.accept_once(events, self.once(Some(view.workspace.id), call)).await,
            };
            match done {
                Ok(done) => {
                    if let Done::Now(accepted) = &done {
                        self.metrics.accepted(accepted, &turned_away);
                    }
                    return Ok((view, done));
                }
                Err(StoreError::CatalogMoved) => {
                    self.directory.forget(view.workspace.id);
                    view = self.directory.view(&view.workspace.public_id).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable("the workspace's webhooks change faster than targets can be chosen"))
    }

    /// The first answer to a call that would be refused now.
    async fn accepted_before(
        &self,
        view: &View,
        wanted: Wanted<'_>,
        call: Option<KeyedCall>,
    ) -> Result<Option<Vec<Accepted>>, Error> {
        let (Some(call), Wanted::Published([event, ..]) | Wanted::Test(event, _)) = (call, wanted) else {
            return Ok(None);
        };
        // The store looks for the call first, and would never store anything for a version that no workspace has.
        let event = AcceptEvent { version: u64::MAX, ..self.draft(view, event, Vec::new()) };
        match self.store.accept_once(vec![event], self.once(Some(view.workspace.id), call)).await {
            Ok(Done::Before(accepted)) => Ok(Some(accepted)),
            Ok(Done::Now(_)) | Err(StoreError::CatalogMoved) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Judges by what is known of the workspace's webhooks now.
    async fn choose(
        &self,
        view: &View,
        wanted: Wanted<'_>,
        decisions: &mut Decisions,
    ) -> Result<Chosen, Error> {
        match wanted {
            Wanted::Published(events) => {
                let (mut pace, mut chosen) = (Pace::by(self.clock.as_ref()), Chosen::default());
                let mut round = decisions.round(view.subscriptions());
                for (place, event) in events.iter().enumerate() {
                    let targets = self.targets(&mut round, place, &event.content, &mut pace).await;
                    if events.len() > 1 && round.steps() > FILTER_STEPS_PER_CALL_MAX {
                        let message = "the filters of the workspace's webhooks have too much to do for these events together; \
                                       send fewer events at once";
                        return Err(Error::new(ErrorCode::TooLarge, message));
                    }
                    chosen.events.push(self.draft(view, event, targets.webhooks));
                    chosen.turned_away.push(targets.turned_away);
                }
                Ok(chosen)
            }
            Wanted::Test(event, webhook) if view.is_active(webhook) => {
                let events = vec![self.draft(view, event, vec![webhook])];
                Ok(Chosen { events, turned_away: Vec::new() })
            }
            Wanted::Test(..) => {
                Err(Error::new(ErrorCode::Conflict, "the webhook is disabled; switch it on first"))
            }
        }
    }

    /// An event as the store takes it, for these webhooks.
    fn draft(&self, view: &View, event: &NewEvent, targets: Vec<WebhookId>) -> AcceptEvent {
        let content = event.content.clone();
        let accepted_at = self.clock.now();
        let identified = view.profile.event_id == EventIdRule::Unique && content.producer_id.is_some();
        let dedupe = identified.then(|| Dedupe {
            fingerprint: fingerprint(&content, event.given_time),
            not_before: accepted_at.plus_ms(-EVENT_ID_KEPT_MS),
        });
        let ordered = match content.ordering_key {
            Some(_) => view.subscriptions().ordered_of(&targets),
            None => Vec::new(),
        };
        let id = EventId::from_raw(self.mint_id());
        AcceptEvent {
            id,
            workspace: view.workspace.id,
            version: view.version,
            content,
            targets,
            accepted_at,
            dedupe,
            ordered,
        }
    }
}

fn receipts(view: &View, events: &[NewEvent], accepted: Vec<Accepted>) -> Vec<Receipt> {
    let receipt = |(event, accepted): (&NewEvent, Accepted)| {
        let id = view.profile.event_id.public_id(accepted.id, event.content.producer_id.as_deref());
        Receipt { id, sequence: accepted.sequence, deliveries: accepted.deliveries }
    };
    events.iter().zip(accepted).map(receipt).collect()
}
