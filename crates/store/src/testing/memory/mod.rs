//! The memory model: what a store must do, written so that it is plain to see.
//!
//! Ordered maps and loops, no index, no cache. Every verb does its work when it is called and answers a ready
//! future. Where the contract's words leave a choice, what this model does is the choice.

mod catalog;
mod closing;
mod copy;
mod data;
mod deliveries;
mod feed;
mod ledger;
mod lists;
mod names;
mod once;
mod operator_keys;
mod retention;
mod signing_keys;
mod users;
mod vault;

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{CredentialId, DeliveryId, EventId, OperatorKeyId, UserId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

use crate::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use crate::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use crate::{Answer, Done, Effect, Named, Once, StoreError};
use data::Data;

/// A store in memory. Clones are the same opening of the same store; the data lives as long as any of them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    opening: Arc<Opening>,
}

/// What ends with a process and begins anew with the next one.
#[derive(Default)]
struct Opening {
    closed: AtomicBool,
    /// Locked from before a commit until the listener was told of it: two threads cannot tell out of order.
    listener: Mutex<Option<Arc<dyn CommitListener>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().expect("no verb panics while it holds the data")
    }

    fn run<T: Send + 'static>(&self, verb: impl FnOnce(&mut Data) -> Result<T, StoreError>) -> Answer<T> {
        let answer = if self.opening.closed.load(Ordering::SeqCst) {
            Err(StoreError::Unavailable("the store is closed".to_owned()))
        } else {
            verb(&mut self.data())
        };
        Box::pin(ready(answer))
    }

    fn listener(&self) -> MutexGuard<'_, Option<Arc<dyn CommitListener>>> {
        self.opening.listener.lock().expect("a listener does not panic")
    }
}

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
        self.run(|data| data.update_webhook(params))
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
            listener.requeued(due, workspace);
        }
        answer
    }

    fn done_before(&self, once: Once) -> Answer<Option<SealedSecret>> {
        self.run(|data| data.done_before(once))
    }
}

impl Ledger for MemoryStore {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        *self.listener() = Some(listener);
    }

    fn highest_id(&self) -> i64 {
        self.data().highest_id
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        let listener = self.listener();
        let mut stored = Vec::new();
        let answer = self.run(|data| data.accept(events, &mut stored));
        if let (Some(listener), false) = (listener.as_ref(), stored.is_empty()) {
            listener.accepted(stored);
        }
        answer
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        let listener = self.listener();
        let mut stored = Vec::new();
        let answer = self.run(|data| data.accept_once(events, once, &mut stored));
        if let (Some(listener), false) = (listener.as_ref(), stored.is_empty()) {
            listener.accepted(stored);
        }
        answer
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        self.run(|data| {
            finished.iter().for_each(|one| data.finish(one));
            Ok(())
        })
    }

    fn requeue(&self, params: Requeue) -> Answer<Due> {
        let listener = self.listener();
        let mut owed = None;
        let answer = self.run(|data| {
            let round = data.requeue(params)?;
            owed = round.begun();
            Ok(round.due())
        });
        if let (Some(listener), Some(due)) = (listener.as_ref(), owed) {
            listener.requeued(due, params.workspace);
        }
        answer
    }

    fn requeue_lost(&self, params: RequeueLost) -> Answer<usize> {
        let listener = self.listener();
        let mut owed = Vec::new();
        let answer = self.run(|data| {
            owed = data.requeue_lost(&params);
            Ok(owed.len())
        });
        if let Some(listener) = listener.as_ref() {
            owed.into_iter().for_each(|due| listener.requeued(due, params.workspace));
        }
        answer
    }

    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>> {
        self.run(|data| Ok(data.due_lanes(params)))
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        self.run(|data| Ok(data.due_page(params)))
    }

    fn events_by_id(&self, ids: Vec<EventId>) -> Answer<Vec<Arc<Event>>> {
        self.run(|data| Ok(data.events_by_id(&ids)))
    }

    fn event(&self, workspace: WorkspaceId, key: EventKey) -> Answer<Option<Arc<Event>>> {
        self.run(|data| Ok(data.event(workspace, &key)))
    }

    fn list_events(&self, params: ListEvents) -> Answer<EventPage> {
        self.run(|data| Ok(data.list_events(&params)))
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        self.run(|data| data.feed(&params))
    }

    fn list_deliveries(&self, params: ListDeliveries) -> Answer<DeliveryPage> {
        self.run(|data| Ok(data.list_deliveries(&params)))
    }

    fn delivery(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Answer<Option<DeliveryRecord>> {
        self.run(|data| Ok(data.delivery(workspace, delivery)))
    }

    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>> {
        self.run(|data| Ok(data.owner_of(&named)))
    }

    /// The model keeps no index and reads past what a cut has ended and what else has expired, so there is
    /// nothing else to do.
    fn upkeep(&self, now: Timestamp) -> Answer<bool> {
        self.run(|data| {
            data.wipe_expired_secrets(now);
            data.forget_expired_operator_keys(now);
            data.forget_expired_rights_and_sessions(now);
            Ok(false)
        })
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        self.run(|data| Ok(data.retain(&params)))
    }

    fn usage(&self, workspace: WorkspaceId) -> Answer<Option<Usage>> {
        self.run(|data| Ok(data.usage(workspace)))
    }

    fn storage(&self) -> Answer<Storage> {
        self.run(|data| Ok(data.storage()))
    }

    fn probe(&self, _now: Timestamp) -> Answer<()> {
        self.run(|_| Ok(()))
    }

    fn close(&self) -> Answer<()> {
        let answer = self.run(|_| Ok(()));
        self.opening.closed.store(true, Ordering::SeqCst);
        answer
    }
}
