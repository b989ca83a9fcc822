//! The model's public ids: numbers that are handed out, and whose something is that is known by its name alone.

use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::limits::PUBLIC_NUMBER_MAX;

use super::data::{Data, Life};
use crate::Named;
use crate::StoreError;

impl Data {
    pub(super) fn next_number(&mut self, counter: Counter) -> Result<i64, StoreError> {
        let mut number = self.counters.get(&counter).copied().unwrap_or(0);
        loop {
            if number >= PUBLIC_NUMBER_MAX {
                return Err(StoreError::numbers_used_up());
            }
            number += 1;
            let taken = counter == Counter::Workspace && self.workspace_names.contains(&number.to_string());
            if !taken {
                self.counters.insert(counter, number);
                return Ok(number);
            }
        }
    }

    pub(super) fn owner_of(&self, named: &Named) -> Option<WorkspaceId> {
        match named {
            Named::Delivery(delivery) => self.owner_of_delivery(*delivery),
            Named::Webhook { dialect, public_id } => self.owner_of_webhook(dialect, public_id),
            Named::SigningKey { dialect, public_id } => self.owner_of_signing_key(dialect, public_id),
        }
    }

    fn owner_of_delivery(&self, id: DeliveryId) -> Option<WorkspaceId> {
        let owner = self.events.get(&id.event)?.event.workspace;
        self.delivery(owner, id).map(|_| owner)
    }

    fn owner_of_webhook(&self, dialect: &str, public_id: &str) -> Option<WorkspaceId> {
        let living = self.webhooks.values().filter(|row| row.life == Life::Living);
        let mut owners = living.map(|row| (&row.webhook.public_id, row.webhook.workspace));
        let found = owners.find(|(name, owner)| *name == public_id && self.speaks(*owner, dialect));
        found.map(|(_, owner)| owner)
    }

    fn owner_of_signing_key(&self, dialect: &str, public_id: &str) -> Option<WorkspaceId> {
        let living = self.signing_keys.values().filter(|row| row.life == Life::Living);
        let mut owners = living.map(|row| (&row.key.public_id, row.key.workspace));
        let found = owners.find(|(name, owner)| *name == public_id && self.speaks(*owner, dialect));
        found.map(|(_, owner)| owner)
    }

    /// Whether a workspace lives and is of this dialect.
    fn speaks(&self, workspace: WorkspaceId, dialect: &str) -> bool {
        self.living_workspace(workspace).is_some_and(|row| row.workspace.dialect == dialect)
    }
}
