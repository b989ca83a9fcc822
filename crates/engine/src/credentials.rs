//! API keys and tokens of customers: issued once, found by hash, revoked at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use signalpost_core::credential::{Credential, CredentialHash, preview_of};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_core::limits::CREDENTIAL_CACHE_MAX;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::check_name;

use crate::Engine;
use crate::directory::View;

#[derive(Clone, Debug)]
pub struct NewCredential {
    pub name: Option<String>,
    pub scopes: Vec<String>,
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
    pub async fn create_credential(
        &self,
        workspace: &str,
        new: NewCredential,
    ) -> Result<IssuedCredential, Error> {
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
        if let Some(unknown) = new.scopes.first() {
            errors.push("scopes", format!("`{unknown}`: credentials of this dialect have no scopes"));
        }
        errors.into_result()?;
        let secret = Secret::from_text(&self.mint_text(form));
        let credential = Credential {
            id: CredentialId::from_raw(self.mint_id()),
            workspace: view.workspace.id,
            name: new.name,
            scopes: new.scopes,
            preview: preview_of(secret.expose_text()),
            created_at: now,
            expires_at: new.expires_at,
        };
        self.store.create_credential(credential.clone(), CredentialHash::of(secret.expose())).await?;
        Ok(IssuedCredential { credential, secret })
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

/// Credentials seen lately. Any revocation forgets all of them: it is rare, and loading one again is cheap.
#[derive(Debug, Default)]
pub(crate) struct CredentialCache(RwLock<Cached>);

#[derive(Debug, Default)]
struct Cached {
    by_hash: HashMap<CredentialHash, Arc<Credential>>,
    /// Counts forgettings: what was loaded before one and arrives after it is not kept.
    generation: u64,
}

impl CredentialCache {
    fn get(&self, hash: &CredentialHash) -> Result<Arc<Credential>, u64> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cached.by_hash.get(hash).cloned().ok_or(cached.generation)
    }

    fn keep(&self, hash: CredentialHash, credential: Arc<Credential>, generation: u64) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cached.generation != generation {
            return;
        }
        if cached.by_hash.len() >= CREDENTIAL_CACHE_MAX {
            cached.by_hash.clear();
        }
        cached.by_hash.insert(hash, credential);
    }

    pub(crate) fn forget_all(&self) {
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.by_hash.clear();
    }
}
