//! The model's operator keys.

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::OPERATOR_KEYS_MAX;
use signalpost_core::operator_key::OperatorKey;

use super::data::Data;
use crate::StoreError;
use crate::catalog::{ListOperatorKeys, RotateOperatorKey};

impl Data {
    pub(super) fn create_operator_key(
        &mut self,
        key: OperatorKey,
        hash: CredentialHash,
    ) -> Result<(), StoreError> {
        if key.workspace.is_some_and(|workspace| self.living_workspace(workspace).is_none()) {
            return Err(StoreError::Missing("workspace"));
        }
        if self.operator_key_by_hash(hash).is_some() {
            return Err(StoreError::Taken("operator key"));
        }
        let alike = self.operator_keys.values().filter(|(other, _)| other.workspace == key.workspace);
        if alike.count() >= OPERATOR_KEYS_MAX {
            return Err(StoreError::WrongState("there are too many operator keys, revoke some"));
        }
        self.note_id(key.id.raw());
        self.operator_keys.insert(key.id, (key, hash));
        Ok(())
    }

    pub(super) fn operator_key_by_hash(&self, hash: CredentialHash) -> Option<OperatorKey> {
        let mut all = self.operator_keys.values();
        all.find(|(_, known)| *known == hash).map(|(key, _)| key.clone())
    }

    pub(super) fn list_operator_keys(&self, params: ListOperatorKeys) -> Vec<OperatorKey> {
        let all = self.operator_keys.values().map(|(key, _)| key);
        let wanted = all.filter(|key| params.workspace.is_none() || key.workspace == params.workspace);
        let page = wanted.filter(|key| params.after.is_none_or(|after| key.id > after));
        page.take(params.limit).cloned().collect()
    }

    pub(super) fn rotate_operator_key(&mut self, params: RotateOperatorKey) -> Result<(), StoreError> {
        let RotateOperatorKey { previous, seen_expires_at, ends_at, next, hash } = params;
        let (found, _) = self.operator_keys.get(&previous).ok_or(StoreError::Missing("operator key"))?;
        if found.expires_at != seen_expires_at {
            return Err(StoreError::WrongState("the operator key has changed meanwhile"));
        }
        self.create_operator_key(next, hash)?;
        let (previous, _) = self.operator_keys.get_mut(&previous).expect("just found");
        previous.expires_at = Some(seen_expires_at.map_or(ends_at, |seen| seen.min(ends_at)));
        Ok(())
    }
}
