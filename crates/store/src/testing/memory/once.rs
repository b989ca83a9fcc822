//! The model's calls that happen once.

use signalpost_core::delivery::Due;
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::{Crowded, KeptBytes, is_kept};
use signalpost_core::secret::SealedSecret;

use super::data::{Data, OnceAnswer, OnceKey, OnceRow};
use crate::ledger::{AcceptEvent, Accepted, Stored};
use crate::{Done, Effect, Once, StoreError};

impl Data {
    /// What an effect owes anew is left in `owed`.
    pub(super) fn do_once(
        &mut self,
        effect: Effect,
        once: Once,
        answer: SealedSecret,
        owed: &mut Option<(Due, WorkspaceId)>,
    ) -> Result<Done<(), SealedSecret>, StoreError> {
        if let Some(before) = self.done_before(once)? {
            return Ok(Done::Before(before));
        }
        match effect {
            Effect::CreateWorkspace(workspace) => self.create_workspace(workspace)?,
            Effect::CreateWebhook(params) => self.create_webhook(*params)?,
            Effect::CreateCredential(credential, hash) => self.create_credential(credential, hash)?,
            Effect::CreateUser(params) => self.create_user(*params)?,
            Effect::GrantRight(right) => self.grant_right(right)?,
            Effect::CreateOperatorKey(key, hash) => self.create_operator_key(key, hash)?,
            Effect::RotateOperatorKey(params) => self.rotate_operator_key(params)?,
            Effect::UpdateWebhook(params) => drop(self.update_webhook(*params)?),
            Effect::Requeue(params) => {
                *owed = self.requeue(params)?.begun().map(|due| (due, params.workspace))
            }
            Effect::CreateReplay(replay) => self.create_replay(*replay)?,
        }
        self.remember(once, OnceAnswer::Sealed(answer));
        Ok(Done::Now(()))
    }

    pub(super) fn done_before(&self, once: Once) -> Result<Option<SealedSecret>, StoreError> {
        match self.recall(once)? {
            None => Ok(None),
            Some(OnceAnswer::Sealed(answer)) => Ok(Some(answer)),
            Some(OnceAnswer::Accepted(_)) => Err(StoreError::KeyReused),
        }
    }

    pub(super) fn accept_once(
        &mut self,
        events: Vec<AcceptEvent>,
        once: Once,
        stored: &mut Vec<Stored>,
    ) -> Result<Done<Vec<Accepted>, Vec<Accepted>>, StoreError> {
        match self.recall(once)? {
            Some(OnceAnswer::Accepted(before)) => return Ok(Done::Before(before)),
            Some(OnceAnswer::Sealed(_)) => return Err(StoreError::KeyReused),
            None => {}
        }
        let accepted = self.accept(events, stored)?;
        self.remember(once, OnceAnswer::Accepted(accepted.clone()));
        Ok(Done::Now(accepted))
    }

    fn recall(&self, once: Once) -> Result<Option<OnceAnswer>, StoreError> {
        let known = self.once.get(&(once.workspace, once.call.name));
        let Some(row) = known.filter(|row| is_kept(row.at, once.at)) else { return Ok(None) };
        if row.request == once.call.request {
            Ok(Some(row.answer.clone()))
        } else {
            Err(StoreError::KeyReused)
        }
    }

    fn remember(&mut self, once: Once, answer: OnceAnswer) {
        self.calls += 1;
        let row = OnceRow { number: self.calls, at: once.at, request: once.call.request, answer };
        self.once.insert((once.workspace, once.call.name), row);
        while let Some(crowded) = self.kept(once.workspace).crowded() {
            let oldest = match crowded {
                Crowded::Place => self.oldest_call(|place| place == once.workspace),
                Crowded::Everybody => self.oldest_call(|_| true),
            };
            self.forget_call(oldest.expect("what is too much is there"));
        }
    }

    fn kept(&self, place: Option<WorkspaceId>) -> KeptBytes {
        let own = self.once.iter().filter(|((owner, _), _)| *owner == place);
        KeptBytes { in_all: self.calls_bytes(), of_place: own.map(|(_, row)| row.bytes()).sum() }
    }

    pub(super) fn calls_bytes(&self) -> u64 {
        self.once.values().map(OnceRow::bytes).sum()
    }

    /// The one that came first of the places that are wanted.
    pub(super) fn oldest_call(&self, wanted: impl Fn(Option<WorkspaceId>) -> bool) -> Option<OnceKey> {
        let all = self.once.iter().filter(|((place, _), _)| wanted(*place));
        all.min_by_key(|(_, row)| row.number).map(|(key, _)| *key)
    }

    /// Before its time.
    pub(super) fn forget_call(&mut self, key: OnceKey) {
        self.once.remove(&key);
        self.calls_forgotten += 1;
    }
}
