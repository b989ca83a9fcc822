//! The model's workspaces, webhooks and credentials.

use signalpost_core::basic_auth::Login;
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::custom_header;
use signalpost_core::delivery::CutReason;
use signalpost_core::event::Sequence;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::id::{CredentialId, WebhookId, WorkspaceId};
use signalpost_core::limits::FILTERED_WEBHOOKS_MAX;
use signalpost_core::metadata;
use signalpost_core::rotation;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, Remembered, Tombstone, Webhook, WebhookState};
use signalpost_core::workspace::Workspace;

use super::data::{Data, Life, WebhookRow, WorkspaceRow};
use crate::StoreError;
use crate::catalog::{
    CreateWebhook, DeleteWebhook, EraseWorkspace, FanOut, LaneRecord, ListWebhooks, ListWorkspaces,
    RememberedWebhooks, Switch, UpdateWebhook, UpdateWorkspace, WebhookPage,
};

impl Data {
    pub(super) fn create_workspace(&mut self, workspace: Workspace) -> Result<(), StoreError> {
        if !self.workspace_names.insert(workspace.public_id.clone()) {
            return Err(StoreError::Taken("workspace id"));
        }
        self.note_id(workspace.id.raw());
        let id = workspace.id;
        let (sequence, expired_through) = (Sequence(0), Sequence(0));
        let row = WorkspaceRow {
            workspace,
            version: 1,
            sequence,
            expired_through,
            portal_ended_at: None,
            life: Life::Living,
        };
        self.workspaces.insert(id, row);
        Ok(())
    }

    pub(super) fn workspace_by_public_id(&self, public_id: &str) -> Option<Workspace> {
        let mut living = self.workspaces.values().filter(|row| row.life == Life::Living);
        living.find(|row| row.workspace.public_id == public_id).map(|row| row.workspace.clone())
    }

    pub(super) fn list_workspaces(&self, params: &ListWorkspaces) -> Vec<Workspace> {
        let living = self.workspaces.values().filter(|row| row.life == Life::Living);
        let page = living.filter(|row| params.after.is_none_or(|after| row.workspace.id > after));
        page.take(params.limit).map(|row| row.workspace.clone()).collect()
    }

    pub(super) fn update_workspace(&mut self, params: UpdateWorkspace) -> Result<Workspace, StoreError> {
        let row = self.living_workspace_mut(params.workspace).ok_or(StoreError::Missing("workspace"))?;
        if let Some(name) = params.name {
            row.workspace.name = name;
        }
        if let Some(features) = params.features {
            row.workspace.features = features;
        }
        params.policy.apply_to(&mut row.workspace.policy);
        row.version += 1;
        Ok(row.workspace.clone())
    }

    /// The webhooks that it ended, oldest first.
    pub(super) fn erase_workspace(&mut self, params: EraseWorkspace) -> Result<Vec<WebhookId>, StoreError> {
        let EraseWorkspace { workspace, at } = params;
        self.living_workspace(workspace).ok_or(StoreError::Missing("workspace"))?;
        let webhooks: Vec<_> = self.living_webhooks_of(workspace).map(|row| row.webhook.id).collect();
        for webhook in &webhooks {
            self.bury(*webhook, at);
        }
        self.credentials.retain(|_, (credential, _)| credential.workspace != workspace);
        self.end_rights_on(workspace);
        self.operator_keys.retain(|_, (key, _)| key.workspace != Some(workspace));
        self.end_portal_sessions_of(workspace);
        self.once.retain(|(place, _), _| *place != Some(workspace));
        self.replays.retain(|_, row| row.replay.workspace != workspace);
        self.figures.retain(|key, _| key.of.workspace() != Some(workspace));
        if self.closing_workspaces().all(|closing| closing != workspace) {
            self.end_signing_keys(workspace);
        }
        self.living_workspace_mut(workspace).expect("just found").life = Life::Ended;
        Ok(webhooks)
    }

    pub(super) fn create_webhook(&mut self, params: CreateWebhook) -> Result<(), StoreError> {
        let CreateWebhook { mut webhook, webhooks_max } = params;
        self.living_workspace(webhook.workspace).ok_or(StoreError::Missing("workspace"))?;
        // Deleted ones count too.
        let same_place = |row: &&WebhookRow| row.webhook.workspace == webhook.workspace;
        if self.webhooks.values().filter(same_place).any(|row| row.webhook.public_id == webhook.public_id) {
            return Err(StoreError::Taken("webhook id"));
        }
        if let Some(limit) = webhooks_max
            && self.living_webhooks_of(webhook.workspace).count() >= limit
        {
            return Err(StoreError::LimitReached { what: "webhooks", limit });
        }
        if webhook.filter.is_some() {
            self.check_filtered(webhook.workspace)?;
        }
        self.check_reference(webhook.workspace, webhook.signing_key)?;
        self.note_id(webhook.id.raw());
        self.bump_version(webhook.workspace);
        let here = self.sequence_of(webhook.workspace);
        (webhook.created_after, webhook.settled_after) = (here, here);
        let row = WebhookRow { webhook, cuts: Vec::new(), life: Life::Living, tombstone: None };
        self.webhooks.insert(row.webhook.id, row);
        Ok(())
    }

    fn check_filtered(&self, workspace: WorkspaceId) -> Result<(), StoreError> {
        let filtered = self.living_webhooks_of(workspace).filter(|row| row.webhook.filter.is_some()).count();
        if filtered < FILTERED_WEBHOOKS_MAX {
            return Ok(());
        }
        Err(StoreError::LimitReached { what: "webhooks with a filter", limit: FILTERED_WEBHOOKS_MAX })
    }

    pub(super) fn webhook_by_public_id(&self, workspace: WorkspaceId, public_id: &str) -> Option<Webhook> {
        let mut living = self.living_webhooks_of(workspace);
        living.find(|row| row.webhook.public_id == public_id).map(|row| self.seen(&row.webhook))
    }

    pub(super) fn list_webhooks(&self, params: &ListWebhooks) -> WebhookPage {
        let mut passing: Vec<Webhook> = self
            .living_webhooks_of(params.workspace)
            .map(|row| self.seen(&row.webhook))
            .filter(|webhook| params.subject.is_none() || webhook.subject == params.subject)
            .filter(|webhook| params.active.is_none_or(|active| webhook.state.is_active() == active))
            .collect();
        let total = u64::try_from(passing.len()).expect("a count fits");
        passing.reverse();
        let older = passing.into_iter().filter(|webhook| params.before.is_none_or(|id| webhook.id < id));
        WebhookPage { rows: older.skip(params.offset).take(params.limit).collect(), total }
    }

    pub(super) fn remembered_webhooks(&self, params: &RememberedWebhooks) -> Vec<Remembered> {
        let RememberedWebhooks { workspace, public_id, before, limit } = params;
        if self.living_workspace(*workspace).is_none() {
            return Vec::new();
        }
        let newest_first = self.webhooks.values().rev().filter(|row| row.webhook.workspace == *workspace);
        let remembered = newest_first.map(|row| match &row.tombstone {
            Some(tombstone) => Remembered::Deleted(tombstone.clone()),
            None => Remembered::Living(Box::new(self.seen(&row.webhook))),
        });
        let passing = remembered
            .filter(|webhook| public_id.as_deref().is_none_or(|wanted| webhook.public_id() == wanted))
            .filter(|webhook| before.is_none_or(|before| webhook.id() < before));
        passing.take(*limit).collect()
    }

    /// Every call counts as a change, also one that changes nothing.
    pub(super) fn update_webhook(&mut self, params: UpdateWebhook) -> Result<Webhook, StoreError> {
        let UpdateWebhook { workspace, webhook: id, at, .. } = params;
        let row = self.living_webhook(workspace, id).ok_or(StoreError::Missing("webhook"))?;
        let mut changed = self.seen(&row.webhook);
        self.check_reference(workspace, params.signing_key.flatten())?;
        change_guarded(&mut changed, &params)?;
        if changed.filter.is_none() && matches!(params.filter, Some(Some(_))) {
            self.check_filtered(workspace)?;
        }
        let row = self.living_webhook_mut(workspace, id).expect("just found");
        let before = std::mem::replace(&mut row.webhook, changed);
        let webhook = &mut row.webhook;
        webhook.signing_key = params.signing_key.unwrap_or(webhook.signing_key);
        webhook.name = params.name.unwrap_or_else(|| webhook.name.take());
        if params.url.as_ref().is_some_and(|url| *url != webhook.url) {
            webhook.concurrency = None;
        }
        webhook.url = params.url.unwrap_or_else(|| webhook.url.clone());
        webhook.events = params.events.unwrap_or_else(|| webhook.events.clone());
        webhook.subject = params.subject.unwrap_or_else(|| webhook.subject.take());
        webhook.filter = params.filter.unwrap_or_else(|| webhook.filter.take());
        webhook.patience.retry = params.retry.unwrap_or_else(|| webhook.patience.retry.take());
        webhook.patience.timeout = params.timeout.unwrap_or(webhook.patience.timeout);
        webhook.ceilings = webhook.ceilings.after(params.ceilings);
        webhook.order = webhook.order.after(params.order);
        if let Some(hold) = &mut webhook.health.hold {
            hold.probe_at = hold.probe_at.min(at);
        }
        webhook.updated_at = at;
        match params.switch {
            Some(Switch::Enable) if !webhook.state.is_active() => {
                webhook.state = WebhookState::Active;
                webhook.health = Health::default();
            }
            Some(Switch::Disable(reason)) if webhook.state.gives_way_to(reason) => {
                self.disable(id, at, reason)
            }
            Some(Switch::Enable | Switch::Disable(_)) | None => {}
        }
        if let Some(order) = params.release {
            self.release(id, at, order);
        }
        self.bump_version(workspace);
        let here = self.sequence_of(workspace);
        let webhook = &mut self.webhooks.get_mut(&id).expect("found above").webhook;
        if !webhook.decides_like(&before) {
            webhook.settled_after = here;
        }
        if !webhook.order.blocks() {
            self.unblock(id);
        }
        Ok(self.seen(&self.webhooks[&id].webhook))
    }

    fn release(&mut self, id: WebhookId, at: Timestamp, order: ReleaseOrder) {
        let webhook = &mut self.webhooks.get_mut(&id).expect("the caller has found it").webhook;
        if webhook.health.hold.is_none() {
            return;
        }
        webhook.health = Health::default();
        if order == ReleaseOrder::Skip {
            self.cut(id, at, CutReason::Skipped);
        }
    }

    /// Disables a webhook that gives way to the reason. The caller counts the change.
    pub(super) fn disable(&mut self, id: WebhookId, at: Timestamp, reason: DisableReason) {
        if reason.ends_pending() {
            self.cut(id, at, CutReason::Disabled);
        }
        let here = self.sequence_of(self.webhooks[&id].webhook.workspace);
        let webhook = &mut self.webhooks.get_mut(&id).expect("the caller has found it").webhook;
        webhook.state = WebhookState::Disabled { at, reason };
        webhook.updated_at = at;
        webhook.settled_after = here;
    }

    /// As it was until then.
    pub(super) fn delete_webhook(&mut self, params: DeleteWebhook) -> Result<Webhook, StoreError> {
        let DeleteWebhook { workspace, webhook: id, at, by } = params;
        let row = self.living_webhook(workspace, id).ok_or(StoreError::Missing("webhook"))?;
        let last = self.seen(&row.webhook);
        self.bury(id, at);
        self.bump_version(workspace);
        let tombstone = Tombstone {
            id,
            workspace,
            public_id: last.public_id.clone(),
            created_after: last.created_after,
            settled_after: self.sequence_of(workspace),
            deleted_at: at,
            deleted_by: Some(by),
        };
        self.webhooks.get_mut(&id).expect("just buried").tombstone = Some(tombstone);
        Ok(last)
    }

    fn bury(&mut self, id: WebhookId, at: Timestamp) {
        let row = self.webhooks.get_mut(&id).expect("the caller has found it");
        row.life = Life::Ended;
        wipe(&mut row.webhook);
        self.cut(id, at, CutReason::Deleted);
    }

    pub(super) fn wipe_expired_secrets(&mut self, now: Timestamp) {
        for row in self.webhooks.values_mut() {
            rotation::wipe_expired(&mut row.webhook, now);
        }
    }

    pub(super) fn lane(&self, id: WebhookId) -> Option<LaneRecord> {
        let leaves = self.leaving.contains_key(&id);
        let row = self.webhooks.get(&id).filter(|row| leaves || row.life == Life::Living)?;
        let workspace = self.workspaces[&row.webhook.workspace].workspace.clone();
        let webhook = self.seen(&row.webhook);
        let signing_key = webhook.signing_key.and_then(|key| self.living_signing_key(workspace.id, key));
        Some(LaneRecord { signing_key: signing_key.cloned(), webhook, workspace, cuts: row.cuts.clone() })
    }

    pub(super) fn fan_out(&self, workspace: WorkspaceId) -> Option<FanOut> {
        let row = self.living_workspace(workspace)?;
        let webhooks = self.living_webhooks_of(workspace).map(|row| self.seen(&row.webhook));
        Some(FanOut {
            workspace: row.workspace.clone(),
            version: row.version,
            webhooks: webhooks.filter(|webhook| webhook.state.is_active()).collect(),
        })
    }

    pub(super) fn create_credential(
        &mut self,
        credential: Credential,
        hash: CredentialHash,
    ) -> Result<(), StoreError> {
        self.living_workspace(credential.workspace).ok_or(StoreError::Missing("workspace"))?;
        if self.credential_by_hash(hash).is_some() {
            return Err(StoreError::Taken("credential"));
        }
        self.note_id(credential.id.raw());
        self.credentials.insert(credential.id, (credential, hash));
        Ok(())
    }

    pub(super) fn credential_by_hash(&self, hash: CredentialHash) -> Option<Credential> {
        let mut all = self.credentials.values();
        all.find(|(_, known)| *known == hash).map(|(credential, _)| credential.clone())
    }

    pub(super) fn list_credentials(&self, workspace: WorkspaceId) -> Vec<Credential> {
        let all = self.credentials.values().map(|(credential, _)| credential);
        all.filter(|credential| credential.workspace == workspace).cloned().collect()
    }

    pub(super) fn revoke_credential(
        &mut self,
        workspace: WorkspaceId,
        id: CredentialId,
    ) -> Result<(), StoreError> {
        let owned = self.credentials.get(&id).is_some_and(|(known, _)| known.workspace == workspace);
        if !owned {
            return Err(StoreError::Missing("credential"));
        }
        self.credentials.remove(&id);
        Ok(())
    }
}

/// What may be refused of a change.
fn change_guarded(webhook: &mut Webhook, params: &UpdateWebhook) -> Result<(), StoreError> {
    if let Some(headers) = &params.headers {
        webhook.headers = custom_header::merged(&webhook.headers, headers)?;
    }
    if let Some(secrets) = &params.secrets {
        rotation::apply(webhook, secrets, params.at)?;
    }
    rotation::wipe_expired(webhook, params.at);
    webhook.login = webhook.login.after(&params.login);
    webhook.login.check_beside(&webhook.headers)?;
    if let Some(metadata) = &params.metadata {
        webhook.metadata = metadata::merged(&webhook.metadata, metadata)?;
    }
    Ok(())
}

/// Nothing sealed outlives a webhook.
pub(super) fn wipe(webhook: &mut Webhook) {
    webhook.secret = None;
    webhook.previous_secrets.clear();
    webhook.headers.clear();
    webhook.login = Login::none();
    webhook.metadata.clear();
    webhook.signing_key = None;
}
