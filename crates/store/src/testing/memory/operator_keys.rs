//! The model's operator keys.

use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::OPERATOR_KEYS_MAX;
use signalpost_core::operator_key::{OperatorKey, forgotten_since};
use signalpost_core::time::Timestamp;

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
        let alike = self.operator_keys.values().map(|(other, _)| other);
        let alike: Vec<_> = alike.filter(|other| other.workspace == key.workspace).collect();
        if alike.len() >= OPERATOR_KEYS_MAX {
            let expired = alike.iter().filter(|other| !other.is_valid_at(key.created_at));
            let first = expired.min_by_key(|other| (other.expires_at, other.id)).map(|other| other.id);
            let first =
                first.ok_or(StoreError::WrongState("there are too many operator keys, revoke some"))?;
            self.operator_keys.remove(&first);
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
        let RotateOperatorKey { previous, ends_at, next, hash } = params;
        let (found, _) = self.operator_keys.get(&previous).ok_or(StoreError::Missing("operator key"))?;
        if found.successor.is_some() {
            return Err(StoreError::WrongState("the operator key was rotated before"));
        }
        let successor = next.id;
        self.create_operator_key(next, hash)?;
        // One that had expired may have made room for its successor.
        if let Some((previous, _)) = self.operator_keys.get_mut(&previous) {
            previous.expires_at = Some(previous.expires_at.map_or(ends_at, |end| end.min(ends_at)));
            previous.successor = Some(successor);
        }
        Ok(())
    }

    pub(super) fn forget_expired_operator_keys(&mut self, now: Timestamp) {
        let since = forgotten_since(now);
        self.operator_keys.retain(|_, (key, _)| key.expires_at.is_none_or(|end| end > since));
    }
}
