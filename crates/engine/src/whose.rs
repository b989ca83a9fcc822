//! Whether something lies in this engine's store: asked where several stores stand behind one address.

use signalpost_core::credential::CredentialHash;
use signalpost_core::error::Error;
use signalpost_core::id::OperatorKeyId;

use crate::Engine;

impl Engine {
    /// Whether [`Self::workspace_id`] is known without the store.
    pub fn knows_workspace(&self, public_id: &str) -> bool {
        self.directory.knows(public_id)
    }

    /// Good or not.
    pub async fn has_credential(&self, presented: &[u8]) -> Result<bool, Error> {
        let hash = CredentialHash::of(presented);
        Ok(self.credentials.find(hash, || self.store.credential_by_hash(hash)).await?.is_some())
    }

    /// Good or not.
    pub async fn has_session(&self, key: &[u8]) -> Result<bool, Error> {
        let hash = CredentialHash::of(key);
        Ok(self.sessions.find(hash, || self.load_session(hash)).await?.is_some())
    }

    /// Good or not.
    pub async fn has_portal_session(&self, token: &[u8]) -> Result<bool, Error> {
        Ok(self.find_portal_session(token).await?.is_some())
    }

    pub async fn has_user(&self, dialect: &str, username: &str) -> Result<bool, Error> {
        Ok(self.store.account(dialect.to_owned(), username.to_owned()).await?.is_some())
    }

    pub async fn has_operator_key(&self, public_id: &str) -> Result<bool, Error> {
        let Some(id) = OperatorKeyId::from_public(public_id) else { return Ok(false) };
        Ok(self.store.operator_key(id).await?.is_some())
    }
}
