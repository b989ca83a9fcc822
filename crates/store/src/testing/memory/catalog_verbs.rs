//! The model's verbs of the catalogue, each with whom it tells.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::id::{CredentialId, OperatorKeyId, UserId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

use super::MemoryStore;
use crate::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use crate::ledger::Accepted;
use crate::{Answer, Done, Effect, Once, StoreError};

impl Catalog for MemoryStore {
    fn create_workspace(&self, workspace: Workspace) -> Answer<()> {
        self.run(|data| data.create_workspace(workspace))
    }

    fn workspace_by_public_id(&self, public_id: String) -> Answer<Option<Workspace>> {
        self.run(|data| Ok(data.workspace_by_public_id(&public_id)))
    }

    fn list_workspaces(&self, params: ListWorkspaces) -> Answer<Vec<Workspace>> {
        self.run(|data| Ok(data.list_workspaces(&params)))
    }

    fn update_workspace(&self, params: UpdateWorkspace) -> Answer<Workspace> {
        self.run(|data| data.update_workspace(params))
    }

    fn erase_workspace(&self, params: EraseWorkspace) -> Answer<Vec<WebhookId>> {
        self.run(|data| data.erase_workspace(params))
    }

    fn close_workspace(&self, params: CloseWorkspace) -> Answer<Option<Accepted>> {
        let listener = self.listener();
        let mut stored = Vec::new();
        let answer = self.run(|data| data.close_workspace(params, &mut stored));
        if let (Some(listener), false) = (listener.as_ref(), stored.is_empty()) {
            listener.accepted(stored);
        }
        self.tell_released(&listener);
        answer
    }

    fn next_number(&self, counter: Counter) -> Answer<i64> {
        self.run(|data| data.next_number(counter))
    }

    fn create_webhook(&self, params: CreateWebhook) -> Answer<()> {
        self.run(|data| data.create_webhook(params))
    }

    fn webhook(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<Webhook>> {
        self.run(|data| Ok(data.webhook_by_public_id(workspace, &public_id)))
    }

    fn list_webhooks(&self, params: ListWebhooks) -> Answer<WebhookPage> {
        self.run(|data| Ok(data.list_webhooks(&params)))
    }

    fn remembered_webhooks(&self, params: RememberedWebhooks) -> Answer<Vec<Remembered>> {
        self.run(|data| Ok(data.remembered_webhooks(&params)))
    }

    fn update_webhook(&self, params: UpdateWebhook) -> Answer<Webhook> {
        let listener = self.listener();
        let answer = self.run(|data| data.update_webhook(params));
        self.tell_released(&listener);
        answer
    }

    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<Webhook> {
        self.run(|data| data.delete_webhook(params))
    }

    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>> {
        self.run(|data| Ok(data.lane(webhook)))
    }

    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>> {
        self.run(|data| Ok(data.fan_out(workspace)))
    }

    fn create_signing_key(&self, key: SigningKey) -> Answer<()> {
        self.run(|data| data.create_signing_key(key))
    }

    fn signing_key(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<SigningKey>> {
        self.run(|data| Ok(data.signing_key_by_public_id(workspace, &public_id)))
    }

    fn list_signing_keys(&self, workspace: WorkspaceId) -> Answer<Vec<SigningKey>> {
        self.run(|data| Ok(data.list_signing_keys(workspace)))
    }

    fn delete_signing_key(&self, params: DeleteSigningKey) -> Answer<SigningKey> {
        self.run(|data| data.delete_signing_key(params))
    }

    fn create_credential(&self, credential: Credential, hash: CredentialHash) -> Answer<()> {
        self.run(|data| data.create_credential(credential, hash))
    }

    fn credential_by_hash(&self, hash: CredentialHash) -> Answer<Option<Credential>> {
        self.run(|data| Ok(data.credential_by_hash(hash)))
    }

    fn list_credentials(&self, workspace: WorkspaceId) -> Answer<Vec<Credential>> {
        self.run(|data| Ok(data.list_credentials(workspace)))
    }

    fn revoke_credential(&self, workspace: WorkspaceId, credential: CredentialId) -> Answer<()> {
        self.run(|data| data.revoke_credential(workspace, credential))
    }

    fn create_user(&self, params: CreateUser) -> Answer<()> {
        self.run(|data| data.create_user(params))
    }

    fn grant_right(&self, right: Right) -> Answer<()> {
        self.run(|data| data.grant_right(right))
    }

    fn list_rights(&self, workspace: WorkspaceId) -> Answer<Vec<HeldRight>> {
        self.run(|data| Ok(data.list_rights(workspace)))
    }

    fn revoke_right(&self, workspace: WorkspaceId, right: CredentialId) -> Answer<UserId> {
        self.run(|data| data.revoke_right(workspace, right))
    }

    fn user(&self, dialect: String, public_id: String) -> Answer<Option<User>> {
        self.run(|data| Ok(data.user(&dialect, &public_id)))
    }

    fn account(&self, dialect: String, username: String) -> Answer<Option<Account>> {
        self.run(|data| Ok(data.account(&dialect, &username)))
    }

    fn open_session(&self, session: Session, hash: CredentialHash) -> Answer<()> {
        self.run(|data| data.open_session(session, hash))
    }

    fn session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenSession>> {
        self.run(|data| Ok(data.session_by_hash(hash)))
    }

    fn create_operator_key(&self, key: OperatorKey, hash: CredentialHash) -> Answer<()> {
        self.run(|data| data.create_operator_key(key, hash))
    }

    fn operator_key_by_hash(&self, hash: CredentialHash) -> Answer<Option<OperatorKey>> {
        self.run(|data| Ok(data.operator_key_by_hash(hash)))
    }

    fn operator_key(&self, key: OperatorKeyId) -> Answer<Option<OperatorKey>> {
        self.run(|data| Ok(data.operator_keys.get(&key).map(|(key, _)| key.clone())))
    }

    fn list_operator_keys(&self, params: ListOperatorKeys) -> Answer<Vec<OperatorKey>> {
        self.run(|data| Ok(data.list_operator_keys(params)))
    }

    fn revoke_operator_key(&self, key: OperatorKeyId) -> Answer<()> {
        self.run(|data| data.operator_keys.remove(&key).map(drop).ok_or(StoreError::Missing("operator key")))
    }

    fn rotate_operator_key(&self, params: RotateOperatorKey) -> Answer<()> {
        self.run(|data| data.rotate_operator_key(params))
    }

    fn do_once(&self, effect: Effect, once: Once, answer: SealedSecret) -> Answer<Done<(), SealedSecret>> {
        let listener = self.listener();
        let mut owed = None;
        let answer = self.run(|data| data.do_once(effect, once, answer, &mut owed));
        if let (Some(listener), Some((due, workspace))) = (listener.as_ref(), owed) {
            listener.requeued(vec![due], workspace);
        }
        self.tell_released(&listener);
        answer
    }

    fn done_before(&self, once: Once) -> Answer<Option<SealedSecret>> {
        self.run(|data| data.done_before(once))
    }

    fn settle_changes(&self) -> Answer<()> {
        self.run(|_| Ok(()))
    }
}
