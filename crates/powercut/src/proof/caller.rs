//! One of several callers at once: it has a workspace of its own, asks for one thing after the other, and has the memory
//! model do the same, so that it knows what there must be after each answer.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{CredentialId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::principal::Principal;
use signalpost_core::webhook::DisableReason;
use signalpost_store::catalog::{DeleteWebhook, FanOut, Switch, UpdateWebhook};
use signalpost_store::ledger::{AcceptEvent, DueOrder, DuePage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Answer, Ledger, Once, Store};
use signalpost_testkit::Rng;

use crate::Watch;

/// Ids of one caller, apart from those of the others.
const IDS: i64 = 1_000_000;
/// Largest body of an event.
const BODY_BYTES_MAX: u64 = 12_000;

pub(super) struct Caller {
    number: u32,
    rng: Rng,
    model: MemoryStore,
    last_id: i64,
    webhooks: Vec<WebhookId>,
    credentials: Vec<CredentialId>,
    /// What there must be: at first, and after each step.
    pub(super) states: Vec<State>,
}

/// What a caller knows between two steps.
pub(super) struct State {
    pub(super) shown: Snapshot,
    /// The highest place of an event, and the highest number, that it was told of.
    pub(super) sequence: i64,
    pub(super) number: i64,
    /// The last call that was to happen once, with the event that it has stored.
    pub(super) once: Option<(Once, AcceptEvent)>,
}

/// The note before a step of a caller.
pub(super) const fn asked(caller: u32, step: usize) -> u64 {
    (caller as u64) << 32 | (step as u64) << 1
}

/// The note behind it, when the caller has its answer.
pub(super) const fn told(caller: u32, step: usize) -> u64 {
    asked(caller, step) | 1
}

impl Caller {
    pub(super) fn new(number: u32, seed: u64) -> Self {
        let mut caller = Self {
            number,
            rng: Rng::new(seed.wrapping_add(u64::from(number))),
            model: MemoryStore::new(),
            last_id: (i64::from(number) + 1) * IDS,
            webhooks: Vec::new(),
            credentials: Vec::new(),
            states: Vec::new(),
        };
        let state = State { shown: caller.shown(), sequence: 0, number: 0, once: None };
        caller.states.push(state);
        caller
    }

    pub(super) fn workspace(&self) -> WorkspaceId {
        WorkspaceId::from_raw(i64::from(self.number) + 1)
    }

    /// Asks for so many things, one after the other.
    pub(super) fn work(&mut self, store: &dyn Store, watch: &Watch, steps: usize) -> Result<(), String> {
        for _ in 0..steps {
            let step = self.states.len() - 1;
            let last = &self.states[step];
            let mut state = State {
                shown: Snapshot::default(),
                sequence: last.sequence,
                number: last.number,
                once: last.once.clone(),
            };
            watch.note(asked(self.number, step));
            self.step(store, step, &mut state).map_err(|error| format!("caller {}: {error}", self.number))?;
            watch.note(told(self.number, step));
            state.shown = self.shown();
            self.states.push(state);
        }
        Ok(())
    }

    fn shown(&self) -> Snapshot {
        block_on(Snapshot::of_workspace(&self.model, self.workspace())).expect("the model can be read")
    }

    fn step(&mut self, store: &dyn Store, step: usize, state: &mut State) -> Result<(), String> {
        match step {
            0 => {
                let workspace = sample::workspace(self.workspace().raw());
                return self.both(store, |store| store.create_workspace(workspace.clone()));
            }
            1 | 2 => return self.create_webhook(store),
            _ => {}
        }
        match self.rng.below(20) {
            0..9 => self.publish(store, step, state),
            9..14 => self.finish(store),
            14 => self.switch(store),
            15 => self.create_webhook(store),
            16 => self.delete_webhook(store),
            17 => self.create_credential(store),
            18 => self.revoke_credential(store),
            _ => {
                // Everybody takes of the same numbers, so the model has no word in it.
                state.number = block_on(store.next_number(Counter::Webhook)).map_err(in_words)?;
                Ok(())
            }
        }
    }

    fn next_id(&mut self) -> i64 {
        self.last_id += 10;
        self.last_id
    }

    /// The same on both stores, which answer alike.
    fn both<T: Debug + PartialEq>(
        &self,
        store: &dyn Store,
        call: impl Fn(&dyn Store) -> Answer<T>,
    ) -> Result<T, String> {
        let answer = block_on(call(store)).map_err(in_words)?;
        let expected = block_on(call(&self.model)).map_err(in_words)?;
        if answer == expected { Ok(answer) } else { Err(format!("{answer:?} instead of {expected:?}")) }
    }

    fn fan_out(&self, store: &dyn Store) -> Result<FanOut, String> {
        let fan_out = block_on(store.fan_out(self.workspace())).map_err(in_words)?;
        fan_out.ok_or_else(|| "its workspace is gone".to_owned())
    }

    /// One to four events in one call, for all webhooks that are on; sometimes under an idempotency key.
    fn publish(&mut self, store: &dyn Store, step: usize, state: &mut State) -> Result<(), String> {
        let (ours, theirs) = (self.fan_out(&self.model)?, self.fan_out(store)?.version);
        let targets: Vec<WebhookId> = ours.webhooks.iter().map(|webhook| webhook.id).collect();
        let count = self.rng.below(4) + 1;
        let events: Vec<AcceptEvent> = (0..count).map(|_| self.event(theirs, &targets)).collect();
        let for_model: Vec<AcceptEvent> =
            events.iter().map(|event| AcceptEvent { version: ours.version, ..event.clone() }).collect();
        let accepted = if self.rng.below(4) == 0 {
            let name = u8::try_from(step).expect("few steps");
            let once = sample::once(Some(self.workspace()), name, 1, self.last_id);
            state.once = Some((once, events[0].clone()));
            block_on(self.model.accept_once(for_model, once)).map_err(in_words)?;
            let done = block_on(store.accept_once(events, once)).map_err(in_words)?;
            done.now().ok_or("a new call was taken for an old one")?
        } else {
            block_on(self.model.accept(for_model)).map_err(in_words)?;
            block_on(store.accept(events)).map_err(in_words)?
        };
        state.sequence = accepted.iter().map(|one| one.sequence.0).max().unwrap_or(state.sequence);
        Ok(())
    }

    fn event(&mut self, version: u64, targets: &[WebhookId]) -> AcceptEvent {
        let id = self.next_id();
        let body = usize::try_from(self.rng.below(BODY_BYTES_MAX)).expect("small");
        let mut event = sample::event(self.workspace(), id, version, targets);
        event.content.data = Bytes::from(vec![b'7'; body]);
        event
    }

    /// Outcomes of what some webhook is owed.
    fn finish(&mut self, store: &dyn Store) -> Result<(), String> {
        let Some(webhook) = self.pick() else { return Ok(()) };
        let owed = self.both(store, |store| {
            store.due_page(DuePage { webhook, limit: 4, order: DueOrder::OLDEST_FIRST })
        })?;
        let workspace = self.workspace();
        let finished = owed.into_iter().map(|due| {
            let verdict = match self.rng.below(4) {
                0 => Verdict::GiveUp,
                1 => Verdict::RetryAt(due.due_at.plus_ms(5_000)),
                _ => Verdict::Delivered,
            };
            sample::finished(workspace, due, verdict)
        });
        let finished = Arc::new(finished.collect::<Vec<_>>());
        self.both(store, |store| store.finish(Arc::clone(&finished)))
    }

    /// Off, with or without a cut, or on again.
    fn switch(&mut self, store: &dyn Store) -> Result<(), String> {
        let Some(webhook) = self.pick() else { return Ok(()) };
        let switch = match self.rng.below(3) {
            0 => Switch::Disable(DisableReason::ByOwner),
            1 => Switch::Disable(DisableReason::Paused),
            _ => Switch::Enable,
        };
        let at = sample::at(self.next_id());
        let update = UpdateWebhook {
            switch: Some(switch),
            name: Some(Some(format!("changed at {at}"))),
            ..UpdateWebhook::nothing(self.workspace(), webhook, at)
        };
        self.both(store, |store| store.update_webhook(update.clone())).map(drop)
    }

    fn create_webhook(&mut self, store: &dyn Store) -> Result<(), String> {
        let id = self.next_id();
        let webhook = sample::webhook(self.workspace(), id);
        self.webhooks.push(webhook.id);
        self.both(store, |store| store.create_webhook(webhook.clone().into()))
    }

    fn delete_webhook(&mut self, store: &dyn Store) -> Result<(), String> {
        let Some(webhook) = self.pick() else { return Ok(()) };
        self.webhooks.retain(|known| *known != webhook);
        let (workspace, at) = (self.workspace(), sample::at(self.next_id()));
        let delete = DeleteWebhook { workspace, webhook, at, by: Principal::Operator };
        self.both(store, |store| store.delete_webhook(delete.clone())).map(drop)
    }

    fn create_credential(&mut self, store: &dyn Store) -> Result<(), String> {
        let id = self.next_id();
        let credential = sample::credential(self.workspace(), id);
        self.credentials.push(credential.id);
        let hash = CredentialHash::of(&id.to_be_bytes());
        self.both(store, |store| store.create_credential(credential.clone(), hash))
    }

    fn revoke_credential(&mut self, store: &dyn Store) -> Result<(), String> {
        let (workspace, Some(credential)) = (self.workspace(), self.credentials.pop()) else { return Ok(()) };
        self.both(store, |store| store.revoke_credential(workspace, credential))
    }

    fn pick(&mut self) -> Option<WebhookId> {
        let place = match self.webhooks.len() {
            0 => return None,
            known => usize::try_from(self.rng.below(known as u64)).ok()?,
        };
        self.webhooks.get(place).copied()
    }
}

pub(super) fn in_words(error: signalpost_store::StoreError) -> String {
    error.to_string()
}
