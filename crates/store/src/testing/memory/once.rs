//! The model's calls that happen once.

use std::sync::Arc;

use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::is_kept;
use signalpost_core::secret::SealedSecret;

use super::data::{Data, OnceAnswer, OnceRow};
use crate::ledger::{AcceptEvent, Accepted};
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
            Effect::CreateOperatorKey(key, hash) => self.create_operator_key(key, hash)?,
            Effect::RotateOperatorKey(params) => self.rotate_operator_key(params)?,
            Effect::UpdateWebhook(params) => drop(self.update_webhook(*params)?),
            Effect::Requeue(params) => *owed = Some((self.requeue(params)?, params.workspace)),
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
        stored: &mut Vec<Arc<Event>>,
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
        let row = OnceRow { at: once.at, request: once.call.request, answer };
        self.once.insert((once.workspace, once.call.name), row);
    }
}
