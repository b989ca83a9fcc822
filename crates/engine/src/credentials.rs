//! API keys and tokens of customers: issued once, found by hash, revoked at once.

use std::sync::Arc;

use signalpost_core::credential::{Credential, CredentialHash, preview_of};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_core::limits::NAME_CHARS_MAX;
use signalpost_core::profile::Profile;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::check_name;
use signalpost_store::{Done, Effect};

use crate::Engine;
use crate::directory::View;
use crate::once::Keep;

#[derive(Clone, Debug)]
pub struct NewCredential {
    pub name: Option<String>,
    /// All that the dialect knows when `None`.
    pub scopes: Option<Vec<String>>,
    pub expires_at: Option<Timestamp>,
}

/// A credential with the only sight of its secret.
#[derive(Debug)]
pub struct IssuedCredential {
    pub credential: Credential,
    pub secret: Secret,
}

/// Who calls through a customer's credential.
#[derive(Clone, Debug)]
pub struct Caller {
    pub credential: Arc<Credential>,
    pub view: Arc<View>,
}

impl Engine {
    /// `Conflict` where the dialect has no credentials.
    pub async fn create_credential(
        &self,
        workspace: &str,
        new: NewCredential,
        keep: Option<Keep<'_, IssuedCredential>>,
    ) -> Result<Done<IssuedCredential, Vec<u8>>, Error> {
        let view = self.directory.view(workspace).await?;
        let Some(form) = &view.profile.credential else {
            let message = "workspaces of this dialect have no credentials; use an operator key";
            return Err(Error::new(ErrorCode::Conflict, message));
        };
        let now = self.clock.now();
        let mut errors = FieldErrors::default();
        errors.take("name", new.name.as_deref().map_or(Ok(()), check_name));
        if new.expires_at.is_some_and(|end| end <= now) {
            errors.push("expires_at", "must be in the future");
        }
        let scopes = new.scopes.as_deref();
        errors.take("scopes", scopes.map_or(Ok(()), |scopes| check_scopes(&view.profile, scopes)));
        errors.into_result()?;
        let secret = Secret::from_text(&self.mint_text(form));
        let credential = Credential {
            id: CredentialId::from_raw(self.mint_id()),
            workspace: view.workspace.id,
            name: new.name,
            scopes: granted(&view.profile, new.scopes.as_deref()),
            preview: preview_of(secret.expose_text()),
            created_at: now,
            expires_at: new.expires_at,
        };
        let place = Some(credential.workspace);
        let effect = Effect::CreateCredential(credential.clone(), CredentialHash::of(secret.expose()));
        let issued = IssuedCredential { credential, secret };
        let done = self.carry_out(place, effect, &issued, keep.as_ref()).await?;
        Ok(done.map_now(|()| issued))
    }

    pub async fn list_credentials(&self, workspace: WorkspaceId) -> Result<Vec<Credential>, Error> {
        Ok(self.store.list_credentials(workspace).await?)
    }

    /// When this returns the credential opens nothing any more.
    pub async fn revoke_credential(
        &self,
        workspace: WorkspaceId,
        credential: CredentialId,
    ) -> Result<(), Error> {
        let revoked = self.store.revoke_credential(workspace, credential).await;
        // Also after a failure: the store may have revoked it and lost the answer.
        self.credentials.forget_all();
        Ok(revoked?)
    }

    /// Finds out who presents this credential to a dialect instance. `Unauthenticated` whatever is wrong with it:
    /// unknown, expired, revoked, or of a workspace that speaks another dialect.
    pub async fn authenticate(&self, dialect: &str, presented: &[u8]) -> Result<Caller, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "the credential is missing or invalid");
        let credential = self.credential(CredentialHash::of(presented)).await?.ok_or_else(refused)?;
        if !credential.is_valid_at(self.clock.now()) {
            return Err(refused());
        }
        let view = match self.directory.view_by_id(credential.workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => return Err(refused()),
            view => view?,
        };
        if view.workspace.dialect == dialect { Ok(Caller { credential, view }) } else { Err(refused()) }
    }

    async fn credential(&self, hash: CredentialHash) -> Result<Option<Arc<Credential>>, Error> {
        let generation = match self.credentials.get(&hash) {
            Ok(known) => return Ok(Some(known)),
            Err(generation) => generation,
        };
        let Some(found) = self.store.credential_by_hash(hash).await?.map(Arc::new) else { return Ok(None) };
        self.credentials.keep(hash, Arc::clone(&found), generation);
        Ok(Some(found))
    }
}

fn check_scopes(profile: &Profile, scopes: &[String]) -> Result<(), String> {
    match scopes.iter().find(|scope| !profile.scopes.contains(scope)) {
        Some(unknown) if profile.scopes.is_empty() => {
            Err(format!("`{}`: credentials of this dialect have no scopes", shown(unknown)))
        }
        Some(unknown) => {
            Err(format!("`{}` is unknown; known are {}", shown(unknown), profile.scopes.join(", ")))
        }
        None => Ok(()),
    }
}

/// Each scope once, in the dialect's order.
fn granted(profile: &Profile, wanted: Option<&[String]>) -> Vec<String> {
    let is_wanted = |scope: &&String| wanted.is_none_or(|wanted| wanted.contains(scope));
    profile.scopes.iter().filter(is_wanted).cloned().collect()
}

/// A word of the caller's, short enough to repeat.
fn shown(word: &str) -> String {
    word.chars().take(NAME_CHARS_MAX).collect()
}
