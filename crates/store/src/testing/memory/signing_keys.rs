//! The model's signing keys, and what a webhook that refers to one looks like.

use signalpost_core::id::{SigningKeyId, WorkspaceId};
use signalpost_core::limits::SIGNING_KEYS_MAX;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::webhook::Webhook;

use super::data::{Data, Life, SigningKeyRow};
use crate::StoreError;
use crate::catalog::DeleteSigningKey;

impl Data {
    pub(super) fn create_signing_key(&mut self, key: SigningKey) -> Result<(), StoreError> {
        self.living_workspace(key.workspace).ok_or(StoreError::Missing("workspace"))?;
        // Deleted ones count too.
        let same_place = |row: &&SigningKeyRow| row.key.workspace == key.workspace;
        if self.signing_keys.values().filter(same_place).any(|row| row.key.public_id == key.public_id) {
            return Err(StoreError::Taken("signing key id"));
        }
        if self.living_signing_keys_of(key.workspace).count() >= SIGNING_KEYS_MAX {
            return Err(StoreError::LimitReached { what: "signing keys", limit: SIGNING_KEYS_MAX });
        }
        self.note_id(key.id.raw());
        self.signing_keys.insert(key.id, SigningKeyRow { key, life: Life::Living });
        Ok(())
    }

    pub(super) fn signing_key_by_public_id(
        &self,
        workspace: WorkspaceId,
        public_id: &str,
    ) -> Option<SigningKey> {
        self.living_workspace(workspace)?;
        self.living_signing_keys_of(workspace).find(|key| key.public_id == public_id).cloned()
    }

    pub(super) fn list_signing_keys(&self, workspace: WorkspaceId) -> Vec<SigningKey> {
        let found = self.living_workspace(workspace).is_some();
        self.living_signing_keys_of(workspace).filter(|_| found).cloned().collect()
    }

    /// As it was until then.
    pub(super) fn delete_signing_key(&mut self, params: DeleteSigningKey) -> Result<SigningKey, StoreError> {
        let DeleteSigningKey { workspace, key: id, .. } = params;
        self.living_workspace(workspace).ok_or(StoreError::Missing("signing key"))?;
        let key =
            self.living_signing_key(workspace, id).cloned().ok_or(StoreError::Missing("signing key"))?;
        self.signing_keys.get_mut(&id).expect("just found").life = Life::Ended;
        Ok(key)
    }

    /// Of a workspace that has come to its end.
    pub(super) fn end_signing_keys(&mut self, workspace: WorkspaceId) {
        let own = self.signing_keys.values_mut().filter(|row| row.key.workspace == workspace);
        own.for_each(|row| row.life = Life::Ended);
    }

    /// Refuses a reference to what the workspace does not have.
    pub(super) fn check_reference(
        &self,
        workspace: WorkspaceId,
        key: Option<SigningKeyId>,
    ) -> Result<(), StoreError> {
        match key {
            Some(key) if self.living_signing_key(workspace, key).is_none() => {
                Err(StoreError::Missing("signing key"))
            }
            _ => Ok(()),
        }
    }

    /// A webhook as it is to be seen: a reference to a key that is gone is none.
    pub(super) fn seen(&self, webhook: &Webhook) -> Webhook {
        let signing_key =
            webhook.signing_key.filter(|key| self.living_signing_key(webhook.workspace, *key).is_some());
        Webhook { signing_key, ..webhook.clone() }
    }

    pub(super) fn living_signing_key(&self, workspace: WorkspaceId, id: SigningKeyId) -> Option<&SigningKey> {
        let row = self.signing_keys.get(&id)?;
        (row.key.workspace == workspace && row.life == Life::Living).then_some(&row.key)
    }

    fn living_signing_keys_of(&self, workspace: WorkspaceId) -> impl Iterator<Item = &SigningKey> {
        let own = move |row: &&SigningKeyRow| row.key.workspace == workspace && row.life == Life::Living;
        self.signing_keys.values().filter(own).map(|row| &row.key)
    }
}
