//! Calls that happen once: whoever makes one again gets the first answer.
//!
//! An answer is kept sealed, for it may hold a secret that is shown this once.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{OperatorKeyId, WorkspaceId};
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_store::{Done, Effect, Once, StoreError};

use crate::Engine;

/// How an answer `T` is kept for a call.
pub struct Keep<'a, T> {
    pub call: KeyedCall,
    /// What the caller is told, in whatever form the surface wants to find it again.
    pub answer: &'a (dyn Fn(&T) -> Result<Vec<u8>, Error> + Sync),
}

/// What memory may still hold of before a call, when the call is answered from what was kept.
///
/// Whoever made it first may not have come to tell memory of it: its answer follows the commit, and so does another's
/// answer by the same key.
#[derive(Clone, Copy, Debug)]
pub enum Stale<'a> {
    Nothing,
    /// Public id of an operator key.
    OperatorKey(&'a str),
    /// A dialect instance and the public id of one of its users.
    User(&'a str, &'a str),
    /// Public id of a webhook of this workspace.
    Webhook(WorkspaceId, &'a str),
}

impl Engine {
    /// The answer kept for a call that was made before, `None` when it was not. `workspace` is the one that it is a
    /// call of, `None` for calls of the operator side as a whole. `KeyReused` when it asked for something else.
    ///
    /// When this returns an answer, what the call has changed is in force, as when the first answer returned.
    pub async fn answered_before(
        &self,
        workspace: Option<WorkspaceId>,
        call: KeyedCall,
        stale: Stale<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let once = self.once(workspace, call);
        let Some(sealed) = self.store.done_before(once).await? else { return Ok(None) };
        if !matches!(stale, Stale::Nothing) {
            self.refresh(stale).await?;
            self.store.settle_changes().await?;
        }
        self.open_answer(once, &sealed).map(Some)
    }

    async fn refresh(&self, stale: Stale<'_>) -> Result<(), Error> {
        match stale {
            Stale::Nothing => {}
            Stale::OperatorKey(id) => {
                if let Some(id) = OperatorKeyId::from_public(id) {
                    self.forget_operator_key(id);
                }
            }
            Stale::User(dialect, id) => self.sessions.forget(|known| known.is_of(dialect, id)),
            Stale::Webhook(workspace, id) => match self.webhook(workspace, id).await {
                Ok(webhook) => self.apply_change(workspace, webhook.id).await,
                // It was deleted since, and whoever deleted it sees to the rest.
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }

    /// Carries out an effect; once, when its answer is to be kept.
    pub(crate) async fn carry_out<T>(
        &self,
        workspace: Option<WorkspaceId>,
        effect: Effect,
        answered: &T,
        keep: Option<&Keep<'_, T>>,
    ) -> Result<Done<(), Vec<u8>>, NotDone> {
        let Some(keep) = keep else { return Ok(Done::Now(self.do_it(effect).await?)) };
        let once = self.once(workspace, keep.call);
        let answer = Secret::new((keep.answer)(answered)?);
        let sealed = self.keyring.seal(once.answer_key().place(), &answer, self.random.as_ref());
        match self.store.do_once(effect, once, sealed).await? {
            Done::Now(()) => Ok(Done::Now(())),
            Done::Before(sealed) => {
                // Other nodes may not have heard yet of what it has taken away.
                self.store.settle_changes().await?;
                Ok(Done::Before(self.open_answer(once, &sealed)?))
            }
        }
    }

    pub(crate) fn once(&self, workspace: Option<WorkspaceId>, call: KeyedCall) -> Once {
        Once { workspace, call, at: self.clock.now() }
    }

    async fn do_it(&self, effect: Effect) -> Result<(), StoreError> {
        match effect {
            Effect::CreateWorkspace(workspace) => self.store.create_workspace(workspace).await,
            Effect::CreateWebhook(params) => self.store.create_webhook(*params).await,
            Effect::CreateCredential(credential, hash) => {
                self.store.create_credential(credential, hash).await
            }
            Effect::CreateUser(params) => self.store.create_user(*params).await,
            Effect::GrantRight(right) => self.store.grant_right(right).await,
            Effect::CreateOperatorKey(key, hash) => self.store.create_operator_key(key, hash).await,
            Effect::RotateOperatorKey(params) => self.store.rotate_operator_key(params).await,
            Effect::UpdateWebhook(params) => self.store.update_webhook(*params).await.map(drop),
            Effect::Requeue(params) => self.store.requeue(params).await.map(drop),
            Effect::CreateReplay(replay) => self.store.create_replay(*replay).await,
        }
    }

    fn open_answer(&self, once: Once, sealed: &SealedSecret) -> Result<Vec<u8>, Error> {
        let opened = self.keyring.open(once.answer_key().place(), sealed).map_err(|cause| {
            let message = "the call was made before, and its answer cannot be read any more";
            Error { cause: Some(cause.into()), ..Error::new(ErrorCode::Conflict, message) }
        })?;
        Ok(opened.expose().to_vec())
    }
}

/// Why an effect was not carried out.
pub(crate) enum NotDone {
    Refused(StoreError),
    /// The answer to be kept could not be made.
    Failed(Error),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<NotDone> for Error {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Refused(error) => error.into(),
            NotDone::Failed(error) => error,
        }
    }
}
