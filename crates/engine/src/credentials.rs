//! API keys and tokens of customers: issued once, found by hash, revoked at once.

use std::sync::Arc;

use signalpost_core::credential::{Credential, CredentialHash, preview_of};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_core::limits::NAME_CHARS_MAX;
use signalpost_core::principal::Principal;
use signalpost_core::profile::Profile;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::check_name;
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::once::Keep;
use crate::pass::{Pass, Realm};

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
    pub pass: Pass,
}

impl Caller {
    /// As it is remembered beside what it did.
    pub fn principal(&self) -> Principal {
        Principal::Credential(self.credential.id)
    }
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

    /// When this returns the credential, a user's right included, opens nothing any more.
    pub async fn revoke_credential(
        &self,
        workspace: WorkspaceId,
        credential: CredentialId,
    ) -> Result<(), Error> {
        self.take_away(async {
            let revoked = match self.store.revoke_credential(workspace, credential).await {
                Err(StoreError::Missing(_)) => return self.revoke_right(workspace, credential).await,
                revoked => revoked,
            };
            // Also after a failure: the store may have revoked it and lost the answer.
            self.credentials.forget(|known| known.id == credential);
            Ok(revoked?)
        })
        .await
    }

    /// Finds out who presents this credential to a dialect instance. `Unauthenticated` whatever is wrong with it:
    /// unknown, expired, revoked, or of a workspace that speaks another dialect. What does not have the form of the
    /// dialect's credentials is refused without asking the store.
    pub async fn authenticate(&self, dialect: &str, presented: &[u8]) -> Result<Caller, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "the credential is missing or invalid");
        let profile = self.profiles.get(dialect)?;
        if !profile.credential.as_ref().is_some_and(|form| form.fits_after_any_prefix(presented)) {
            return Err(refused());
        }
        let hash = CredentialHash::of(presented);
        let found = self.credentials.find(hash, || self.store.credential_by_hash(hash)).await?;
        let (credential, generation) = found.ok_or_else(refused)?;
        if !credential.is_valid_at(self.clock.now()) {
            return Err(refused());
        }
        let view = match self.directory.view_by_id(credential.workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => return Err(refused()),
            view => view?,
        };
        if view.workspace.dialect != dialect {
            return Err(refused());
        }
        let expires_at = credential.expires_at;
        let pass = Pass { realm: Realm::Customers, hash, generation, expires_at };
        Ok(Caller { credential, view, pass })
    }

    /// Whether [`Self::authenticate`] can judge this without the store.
    pub fn knows_credential(&self, presented: &[u8]) -> bool {
        self.credentials.knows(&CredentialHash::of(presented))
    }
}

pub(crate) fn check_scopes(profile: &Profile, scopes: &[String]) -> Result<(), String> {
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
pub(crate) fn granted(profile: &Profile, wanted: Option<&[String]>) -> Vec<String> {
    let is_wanted = |scope: &&String| wanted.is_none_or(|wanted| wanted.contains(scope));
    profile.scopes.iter().filter(is_wanted).cloned().collect()
}

/// A word of the caller's, short enough to repeat.
fn shown(word: &str) -> String {
    word.chars().take(NAME_CHARS_MAX).collect()
}
