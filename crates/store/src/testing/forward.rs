//! Writes out every verb once for wrappers: each call goes through one method of the wrapper, as a name and as a
//! function that makes the call on a store. The types stand in the macros by their bare names.

/// The bodies of `impl Catalog`: `self.$through("verb", |store| store.verb(..))` for each verb.
#[macro_export]
macro_rules! forward_catalog {
    ($through:ident) => {
        $crate::forward! { $through
            fn create_workspace(workspace: Workspace) -> ();
            fn workspace_by_public_id(public_id: String) -> Option<Workspace>;
            fn list_workspaces(params: ListWorkspaces) -> Vec<Workspace>;
            fn update_workspace(params: UpdateWorkspace) -> Workspace;
            fn erase_workspace(params: EraseWorkspace) -> Vec<WebhookId>;
            fn close_workspace(params: CloseWorkspace) -> Option<Accepted>;
            fn next_number(counter: Counter) -> i64;
            fn create_webhook(params: CreateWebhook) -> ();
            fn webhook(workspace: WorkspaceId, public_id: String) -> Option<Webhook>;
            fn list_webhooks(params: ListWebhooks) -> WebhookPage;
            fn remembered_webhooks(params: RememberedWebhooks) -> Vec<Remembered>;
            fn update_webhook(params: UpdateWebhook) -> Webhook;
            fn delete_webhook(params: DeleteWebhook) -> Webhook;
            fn lane(webhook: WebhookId) -> Option<LaneRecord>;
            fn fan_out(workspace: WorkspaceId) -> Option<FanOut>;
            fn create_signing_key(key: SigningKey) -> ();
            fn signing_key(workspace: WorkspaceId, public_id: String) -> Option<SigningKey>;
            fn list_signing_keys(workspace: WorkspaceId) -> Vec<SigningKey>;
            fn delete_signing_key(params: DeleteSigningKey) -> SigningKey;
            fn create_credential(credential: Credential, hash: CredentialHash) -> ();
            fn credential_by_hash(hash: CredentialHash) -> Option<Credential>;
            fn list_credentials(workspace: WorkspaceId) -> Vec<Credential>;
            fn revoke_credential(workspace: WorkspaceId, credential: CredentialId) -> ();
            fn create_user(params: CreateUser) -> ();
            fn grant_right(right: Right) -> ();
            fn list_rights(workspace: WorkspaceId) -> Vec<HeldRight>;
            fn revoke_right(workspace: WorkspaceId, right: CredentialId) -> UserId;
            fn user(dialect: String, public_id: String) -> Option<User>;
            fn account(dialect: String, username: String) -> Option<Account>;
            fn open_session(session: Session, hash: CredentialHash) -> ();
            fn session_by_hash(hash: CredentialHash) -> Option<OpenSession>;
            fn create_operator_key(key: OperatorKey, hash: CredentialHash) -> ();
            fn operator_key_by_hash(hash: CredentialHash) -> Option<OperatorKey>;
            fn operator_key(key: OperatorKeyId) -> Option<OperatorKey>;
            fn list_operator_keys(params: ListOperatorKeys) -> Vec<OperatorKey>;
            fn revoke_operator_key(key: OperatorKeyId) -> ();
            fn rotate_operator_key(params: RotateOperatorKey) -> ();
            fn do_once(effect: Effect, once: Once, answer: SealedSecret) -> Done<(), SealedSecret>;
            fn done_before(once: Once) -> Option<SealedSecret>;
            fn settle_changes() -> ();
        }
    };
}

/// As [`forward_catalog`] for those verbs of `Ledger` that answer; `listen` and `highest_id` are the wrapper's.
#[macro_export]
macro_rules! forward_ledger {
    ($through:ident) => {
        $crate::forward! { $through
            fn accept(events: Vec<AcceptEvent>) -> Vec<Accepted>;
            fn accept_once(events: Vec<AcceptEvent>, once: Once) -> Done<Vec<Accepted>, Vec<Accepted>>;
            fn finish(finished: Arc<Vec<Finished>>) -> ();
            fn requeue(params: Requeue) -> Due;
            fn requeue_lost(params: RequeueLost) -> usize;
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
            fn upkeep(now: Timestamp) -> bool;
            fn retain(params: Retain) -> Retained;
            fn usage(workspace: WorkspaceId) -> Option<Usage>;
            fn storage() -> Storage;
            fn cluster() -> Cluster;
            fn probe(now: Timestamp) -> ();
            fn close() -> ();
        }
    };
}

/// The bodies of `impl Desk`, as [`forward_catalog`].
#[macro_export]
macro_rules! forward_desk {
    ($through:ident) => {
        $crate::forward! { $through
            fn create_operator_account(account: OperatorAccount, password: PasswordHash) -> ();
            fn operator_account(username: String) -> Option<OperatorLogin>;
            fn list_operator_accounts(params: ListOperatorAccounts) -> Vec<OperatorAccount>;
            fn update_operator_account(params: UpdateOperatorAccount) -> OperatorAccount;
            fn delete_operator_account(account: OperatorAccountId) -> ();
            fn open_operator_session(session: OperatorSession, hash: CredentialHash, verified: Option<PasswordHash>) -> ();
            fn operator_session_by_hash(hash: CredentialHash) -> Option<OpenOperatorSession>;
            fn list_operator_sessions(params: ListOperatorSessions) -> Vec<OpenOperatorSession>;
            fn end_operator_session(session: OperatorSessionId) -> ();
            fn begin_act(act: Act) -> ();
            fn end_act(act: ActId, result: ActResult) -> ();
            fn list_acts(params: ListActs) -> ActPage;
        }
    };
}

/// The bodies of `impl Portal`, as [`forward_catalog`].
#[macro_export]
macro_rules! forward_portal {
    ($through:ident) => {
        $crate::forward! { $through
            fn open_portal_session(params: OpenPortalSession) -> ();
            fn portal_session_by_hash(hash: CredentialHash) -> Option<PortalSession>;
            fn end_portal_session(workspace: WorkspaceId, session: PortalSessionId) -> ();
            fn end_portal_sessions(workspace: WorkspaceId, at: Timestamp) -> ();
        }
    };
}

/// The bodies of `impl Replays`, as [`forward_catalog`].
#[macro_export]
macro_rules! forward_replays {
    ($through:ident) => {
        $crate::forward! { $through
            fn create_replay(replay: Replay) -> ();
            fn replay(workspace: WorkspaceId, replay: ReplayId) -> Option<Replay>;
            fn list_replays(params: ListReplays) -> Vec<Replay>;
            fn busy_replays(params: BusyReplays) -> Vec<Replay>;
            fn replay_sample(workspace: WorkspaceId, replay: ReplayId, limit: usize) -> Vec<EventId>;
            fn plan_replay(params: PlanReplay) -> Replay;
            fn step_replay(params: StepReplay) -> Stepped;
            fn change_replay(params: ChangeReplay) -> Replay;
        }
    };
}

/// The bodies of `impl Rollups`, as [`forward_catalog`].
#[macro_export]
macro_rules! forward_rollups {
    ($through:ident) => {
        $crate::forward! { $through
            fn add_figures(figures: FiguresBatch) -> ();
            fn figures(params: ListFigures) -> FiguresPage;
            fn top_failing(params: TopFailing) -> Vec<FailingWebhook>;
        }
    };
}

/// The bodies of `impl Vault`, as [`forward_catalog`].
#[macro_export]
macro_rules! forward_vault {
    ($through:ident) => {
        $crate::forward! { $through
            fn key_check() -> Option<SealedSecret>;
            fn set_key_check(sealed: SealedSecret) -> ();
            fn sealed_page(params: SealedPage) -> Vec<Sealed>;
            fn reseal(resealed: Vec<Resealed>) -> usize;
        }
    };
}

/// Verbs as a list of signatures without `&self`: the wrapper's own list, where some are not to go through. With `names` in
/// the place of a method it is a list of their names.
#[macro_export]
macro_rules! forward {
    (names $(fn $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        &[$(stringify!($verb)),*]
    };
    ($through:ident $(fn $verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $verb(&self, $($name: $type),*) -> Answer<$answer> {
            self.$through(stringify!($verb), move |store| store.$verb($($name),*))
        })*
    };
}
