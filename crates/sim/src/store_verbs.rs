//! Every verb of the storage contract on [`SimStore`]: which read and which write.

use std::sync::Arc;

use signalpost_core::act::{Act, ActResult};
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId,
    PortalSessionId, ReplayId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::password::PasswordHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::replay::Replay;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use signalpost_store::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount,
};
use signalpost_store::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use signalpost_store::portal::{OpenPortalSession, Portal};
use signalpost_store::replays::{
    BusyReplays, ChangeReplay, ListReplays, PlanReplay, Replays, StepReplay, Stepped,
};
use signalpost_store::rollups::{
    FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing,
};
use signalpost_store::vault::{Resealed, Sealed, SealedPage, Vault};
use signalpost_store::{Answer, Cluster, Done, Effect, Named, Once, Ownership};

use crate::ears::Ears;
use crate::store::{SimStore, Urgency};
use crate::trouble::Retention;

/// What a row without a payload weighs in the queue of writes.
const ROW_BYTES: usize = 256;

macro_rules! writes {
    ($(fn $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $verb(&self, $($name: $type),*) -> Answer<$answer> {
            self.write(Urgency::Refusable, ROW_BYTES, move |store| store.$verb($($name),*))
        })*
    };
}

macro_rules! reads {
    ($(fn $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $verb(&self, $($name: $type),*) -> Answer<$answer> {
            self.read(move |store| store.$verb($($name),*))
        })*
    };
}

impl Catalog for SimStore {
    writes! {
        fn create_workspace(workspace: Workspace) -> ();
        fn update_workspace(params: UpdateWorkspace) -> Workspace;
        fn erase_workspace(params: EraseWorkspace) -> Vec<WebhookId>;
        fn close_workspace(params: CloseWorkspace) -> Option<Accepted>;
        fn next_number(counter: Counter) -> i64;
        fn create_webhook(params: CreateWebhook) -> ();
        fn update_webhook(params: UpdateWebhook) -> Webhook;
        fn delete_webhook(params: DeleteWebhook) -> Webhook;
        fn create_signing_key(key: SigningKey) -> ();
        fn delete_signing_key(params: DeleteSigningKey) -> SigningKey;
        fn create_credential(credential: Credential, hash: CredentialHash) -> ();
        fn revoke_credential(workspace: WorkspaceId, credential: CredentialId) -> ();
        fn create_user(params: CreateUser) -> ();
        fn grant_right(right: Right) -> ();
        fn revoke_right(workspace: WorkspaceId, right: CredentialId) -> UserId;
        fn open_session(session: Session, hash: CredentialHash) -> ();
        fn create_operator_key(key: OperatorKey, hash: CredentialHash) -> ();
        fn revoke_operator_key(key: OperatorKeyId) -> ();
        fn rotate_operator_key(params: RotateOperatorKey) -> ();
        fn do_once(effect: Effect, once: Once, answer: SealedSecret) -> Done<(), SealedSecret>;
    }

    reads! {
        fn workspace_by_public_id(public_id: String) -> Option<Workspace>;
        fn list_workspaces(params: ListWorkspaces) -> Vec<Workspace>;
        fn webhook(workspace: WorkspaceId, public_id: String) -> Option<Webhook>;
        fn list_webhooks(params: ListWebhooks) -> WebhookPage;
        fn remembered_webhooks(params: RememberedWebhooks) -> Vec<Remembered>;
        fn lane(webhook: WebhookId) -> Option<LaneRecord>;
        fn fan_out(workspace: WorkspaceId) -> Option<FanOut>;
        fn signing_key(workspace: WorkspaceId, public_id: String) -> Option<SigningKey>;
        fn list_signing_keys(workspace: WorkspaceId) -> Vec<SigningKey>;
        fn credential_by_hash(hash: CredentialHash) -> Option<Credential>;
        fn list_credentials(workspace: WorkspaceId) -> Vec<Credential>;
        fn list_rights(workspace: WorkspaceId) -> Vec<HeldRight>;
        fn user(dialect: String, public_id: String) -> Option<User>;
        fn account(dialect: String, username: String) -> Option<Account>;
        fn session_by_hash(hash: CredentialHash) -> Option<OpenSession>;
        fn operator_key_by_hash(hash: CredentialHash) -> Option<OperatorKey>;
        fn operator_key(key: OperatorKeyId) -> Option<OperatorKey>;
        fn list_operator_keys(params: ListOperatorKeys) -> Vec<OperatorKey>;
        fn done_before(once: Once) -> Option<SealedSecret>;
        fn settle_changes() -> ();
    }
}

impl Desk for SimStore {
    writes! {
        fn create_operator_account(account: OperatorAccount, password: PasswordHash) -> ();
        fn update_operator_account(params: UpdateOperatorAccount) -> OperatorAccount;
        fn delete_operator_account(account: OperatorAccountId) -> ();
        fn open_operator_session(session: OperatorSession, hash: CredentialHash, verified: Option<PasswordHash>) -> ();
        fn end_operator_session(session: OperatorSessionId) -> ();
        fn begin_act(act: Act) -> ();
        fn end_act(act: ActId, result: ActResult) -> ();
    }

    reads! {
        fn operator_account(username: String) -> Option<OperatorLogin>;
        fn list_operator_accounts(params: ListOperatorAccounts) -> Vec<OperatorAccount>;
        fn operator_session_by_hash(hash: CredentialHash) -> Option<OpenOperatorSession>;
        fn list_operator_sessions(params: ListOperatorSessions) -> Vec<OpenOperatorSession>;
        fn list_acts(params: ListActs) -> ActPage;
    }
}

impl Portal for SimStore {
    writes! {
        fn open_portal_session(params: OpenPortalSession) -> ();
        fn end_portal_session(workspace: WorkspaceId, session: PortalSessionId) -> ();
        fn end_portal_sessions(workspace: WorkspaceId, at: Timestamp) -> ();
    }

    reads! {
        fn portal_session_by_hash(hash: CredentialHash) -> Option<PortalSession>;
    }
}

impl Vault for SimStore {
    writes! {
        fn set_key_check(sealed: SealedSecret) -> ();
        fn reseal(resealed: Vec<Resealed>) -> usize;
    }

    reads! {
        fn key_check() -> Option<SealedSecret>;
        fn sealed_page(params: SealedPage) -> Vec<Sealed>;
    }
}

impl Rollups for SimStore {
    writes! {
        fn add_figures(figures: FiguresBatch) -> ();
    }

    reads! {
        fn figures(params: ListFigures) -> FiguresPage;
        fn top_failing(params: TopFailing) -> Vec<FailingWebhook>;
    }
}

impl Replays for SimStore {
    writes! {
        fn create_replay(replay: Replay) -> ();
        fn plan_replay(params: PlanReplay) -> Replay;
        fn step_replay(params: StepReplay) -> Stepped;
        fn change_replay(params: ChangeReplay) -> Replay;
    }

    reads! {
        fn replay(workspace: WorkspaceId, replay: ReplayId) -> Option<Replay>;
        fn list_replays(params: ListReplays) -> Vec<Replay>;
        fn busy_replays(params: BusyReplays) -> Vec<Replay>;
        fn replay_sample(workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Vec<EventId>;
    }
}

impl Ledger for SimStore {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        if let Some(seat) = &self.seat {
            seat.listen(Arc::clone(&listener));
        }
        self.inner.listen(Ears::of(listener, Arc::clone(&self.trouble), self.seat.clone()));
    }

    fn highest_id(&self) -> i64 {
        self.inner.highest_id()
    }

    fn ownership(&self) -> Arc<Ownership> {
        let own = self.seat.as_ref().map(|seat| Arc::clone(&seat.ownership));
        own.unwrap_or_else(|| self.inner.ownership())
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        let bytes = events.iter().map(|event| ROW_BYTES + event.content.data.len()).sum();
        self.write(Urgency::Refusable, bytes, move |store| store.accept(events))
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        let bytes = events.iter().map(|event| ROW_BYTES + event.content.data.len()).sum();
        self.write(Urgency::Refusable, bytes, move |store| store.accept_once(events, once))
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        let bytes = finished.len() * ROW_BYTES;
        let seat = self.seat.clone();
        self.write(Urgency::MustWait, bytes, move |store| {
            store.finish(seat.map_or_else(|| Arc::clone(&finished), |seat| seat.admit(&finished)))
        })
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        let trouble = Arc::clone(&self.trouble);
        self.write(Urgency::Refusable, ROW_BYTES, move |store| {
            if trouble.retention() == Retention::Rests {
                return Box::pin(std::future::ready(Ok(Retained::default())));
            }
            store.retain(params)
        })
    }

    fn close(&self) -> Answer<()> {
        self.write(Urgency::MustWait, 0, move |store| store.close())
    }

    writes! {
        fn requeue(params: Requeue) -> Due;
        fn requeue_lost(params: RequeueLost) -> usize;
        fn upkeep(now: Timestamp) -> bool;
        fn probe(now: Timestamp) -> ();
    }

    reads! {
        fn due_lanes(params: DueLanes) -> Vec<DueLane>;
        fn due_page(params: DuePage) -> Vec<Due>;
        fn unattempted(deliveries: Vec<DeliveryId>) -> Vec<(Due, Arc<Event>)>;
        fn events_by_id(ids: Vec<EventId>) -> Vec<Arc<Event>>;
        fn event(workspace: WorkspaceId, key: EventKey) -> Option<Arc<Event>>;
        fn list_events(params: ListEvents) -> EventPage;
        fn feed(params: ReadFeed) -> Option<Feed>;
        fn list_deliveries(params: ListDeliveries) -> DeliveryPage;
        fn delivery(workspace: WorkspaceId, delivery: DeliveryId) -> Option<DeliveryRecord>;
        fn owner_of(named: Named) -> Option<WorkspaceId>;
        fn usage(workspace: WorkspaceId) -> Option<Usage>;
        fn storage() -> Storage;
        fn cluster() -> Cluster;
    }
}
