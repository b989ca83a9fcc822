//! Keys that sign for all webhooks of a workspace that refer to them: made, read, ended.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{SigningKeyId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::principal::Principal;
use signalpost_core::profile::{IdForm, SigningRule};
use signalpost_core::secret::Secret;
use signalpost_core::signing_key::SigningKey;
use signalpost_store::StoreError;
use signalpost_store::catalog::DeleteSigningKey;
use signalpost_store::vault::signing_key_place;

use crate::Engine;
use crate::directory::View;
use crate::sealing::unopened;
use crate::workspaces::MINTS_MAX;

impl Engine {
    /// A key with a secret of the dialect's form, to which no webhook refers yet. `LimitReached` when the workspace has as
    /// many as it may, `Conflict` where webhooks have secrets of their own.
    pub async fn create_signing_key(&self, view: &View) -> Result<SigningKey, Error> {
        let form = key_form(view)?;
        let mint = || self.mint_public_id(form, Counter::SigningKey);
        let (id, now) = (SigningKeyId::from_raw(self.mint_id()), self.clock.now());
        let secret = self.mint_secret(view.profile.secret);
        let place = signing_key_place(view.workspace.id, id);
        let mut key = SigningKey {
            id,
            workspace: view.workspace.id,
            public_id: mint().await?,
            sealed: self.keyring.seal(place, &secret, self.random.as_ref()),
            created_at: now,
            updated_at: now,
        };
        for _ in 0..MINTS_MAX {
            match self.store.create_signing_key(key.clone()).await {
                Ok(()) => return Ok(key),
                Err(StoreError::Taken(_)) => key.public_id = mint().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorCode::Internal, "no free signing key id was found"))
    }

    pub async fn signing_key(&self, workspace: WorkspaceId, public_id: &str) -> Result<SigningKey, Error> {
        let found = self.store.signing_key(workspace, public_id.to_owned()).await?;
        found.ok_or_else(|| Error::not_found("signing key"))
    }

    /// All of a workspace, oldest first.
    pub async fn list_signing_keys(&self, workspace: WorkspaceId) -> Result<Vec<SigningKey>, Error> {
        Ok(self.store.list_signing_keys(workspace).await?)
    }

    /// When this returns no attempt starts that is signed with the key, of whatever webhook; those that referred to it go
    /// on unsigned. Gives the key as it was until then, changed last by its end.
    pub async fn delete_signing_key(
        &self,
        view: &View,
        public_id: &str,
        by: &Principal,
    ) -> Result<SigningKey, Error> {
        self.take_away(async {
            let (workspace, at) = (view.workspace.id, self.clock.now());
            let key = self.signing_key(workspace, public_id).await?.id;
            let params = DeleteSigningKey { workspace, key, at, by: by.clone() };
            let deleted = self.store.delete_signing_key(params).await;
            // Also after a failure: the store may have made the change and lost the answer. Which webhooks refer to the
            // key nobody counts, so every lane of the workspace looks again.
            self.doorbell.reload_workspace(workspace).await;
            Ok(SigningKey { updated_at: at, ..deleted? })
        })
        .await
    }

    /// What signs, for contracts that show it; no other surface may. `Unavailable` when no master key opens it.
    pub fn reveal_signing_key(&self, key: &SigningKey) -> Result<Secret, Error> {
        self.keyring.open(signing_key_place(key.workspace, key.id), &key.sealed).map_err(unopened)
    }

    /// The key of this workspace that a webhook is to refer to. `NotFound` for one that does not exist (any more);
    /// `Invalid` at `signing_key` for one of another workspace, and where webhooks have secrets of their own.
    pub(crate) async fn referred_key(
        &self,
        view: &View,
        public_id: Option<&str>,
    ) -> Result<Option<SigningKeyId>, Error> {
        let Some(public_id) = public_id else { return Ok(None) };
        if view.profile.signing == SigningRule::OwnSecret {
            let message = "cannot be set: webhooks of this dialect have secrets of their own";
            return Err(Error::field("signing_key", message));
        }
        let found = self.store.signing_key(view.workspace.id, public_id.to_owned()).await?;
        if let Some(key) = found {
            return Ok(Some(key.id));
        }
        // Whoever may call here may ask for the owner of any key of their dialect, so this tells them nothing new.
        self.signing_key_owner(&view.workspace.dialect, public_id).await?;
        Err(Error::field("signing_key", "belongs to another workspace"))
    }
}

fn key_form(view: &View) -> Result<&IdForm, Error> {
    match &view.profile.signing {
        SigningRule::SharedKeys { key_id } => Ok(key_id),
        SigningRule::OwnSecret => {
            let message =
                "webhooks of this dialect have secrets of their own, and its workspaces no signing keys";
            Err(Error::new(ErrorCode::Conflict, message))
        }
    }
}
