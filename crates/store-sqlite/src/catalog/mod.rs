//! The catalogue's verbs: workspaces, webhooks, signing keys, credentials, users and operator keys. One file each.

mod account;
pub(crate) mod close_workspace;
#[cfg(test)]
mod closing_test;
mod create_credential;
mod create_operator_key;
mod create_signing_key;
mod create_user;
mod create_webhook;
mod create_workspace;
mod credential_by_hash;
mod delete_signing_key;
mod delete_webhook;
pub(crate) mod disable;
pub(crate) mod erase_workspace;
pub(crate) mod expire_secrets;
mod fan_out;
pub(crate) mod find;
pub(crate) mod forget_operator_keys;
pub(crate) mod forget_users;
mod grant_right;
mod lane;
mod list_credentials;
mod list_operator_keys;
mod list_rights;
mod list_webhooks;
mod list_workspaces;
mod next_number;
pub(crate) mod once;
#[cfg(test)]
mod once_tests;
mod open_session;
pub(crate) mod operator_key;
mod remembered_webhooks;
mod revoke_credential;
mod revoke_operator_key;
pub(crate) mod revoke_right;
mod rotate_operator_key;
mod session_by_hash;
mod signing_key;
mod update_webhook;
mod update_workspace;
mod user;

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::id::{CredentialId, OperatorKeyId, UserId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::{
    Account, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook, EraseWorkspace,
    FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces, OpenSession,
    RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use signalpost_store::ledger::Accepted;
use signalpost_store::{Answer, Catalog, Done, Effect, Once};

use crate::failure::Failure;
use crate::job::Growth;
use crate::ledger::accept;
use crate::queue::Admission;
use crate::store::SqliteStore;
use crate::write::Write;

/// What a change of the catalogue weighs in a commit, in bytes: a guess above most rows.
const CHANGE_BYTES: usize = 1_024;

impl SqliteStore {
    fn change<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.write(Admission::Always, CHANGE_BYTES, work)
    }

    /// Something new, which a full disk refuses.
    fn create<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.writing().write((Admission::Always, Growth::Grows), CHANGE_BYTES, work)
    }
}

impl Catalog for SqliteStore {
    fn create_workspace(&self, workspace: Workspace) -> Answer<()> {
        self.create(move |write| create_workspace::run(write, &workspace))
    }

    fn workspace_by_public_id(&self, public_id: String) -> Answer<Option<Workspace>> {
        self.read(move |connection| find::workspace_by_public_id(connection, &public_id))
    }

    fn list_workspaces(&self, params: ListWorkspaces) -> Answer<Vec<Workspace>> {
        self.read(move |connection| list_workspaces::run(connection, &params))
    }

    fn update_workspace(&self, params: UpdateWorkspace) -> Answer<Workspace> {
        self.change(move |write| update_workspace::run(write, &params))
    }

    fn erase_workspace(&self, params: EraseWorkspace) -> Answer<Vec<WebhookId>> {
        let begun = self.change(move |write| erase_workspace::begin(write, params.workspace, params.at));
        Box::pin(erase_workspace::complete(self.writing().clone(), params.workspace, begun))
    }

    fn close_workspace(&self, params: CloseWorkspace) -> Answer<Option<Accepted>> {
        let workspace = params.farewell.workspace;
        let mut farewell = accept::prepare_one(params.farewell);
        let begun = self.change(move |write| close_workspace::begin(write, &mut farewell));
        Box::pin(close_workspace::complete(self.writing().clone(), workspace, begun))
    }

    fn next_number(&self, counter: Counter) -> Answer<i64> {
        next_number::run(self.writing(), counter)
    }

    fn create_webhook(&self, params: CreateWebhook) -> Answer<()> {
        self.create(move |write| create_webhook::run(write, &params))
    }

    fn webhook(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<Webhook>> {
        self.read(move |connection| find::webhook_by_public_id(connection, workspace, &public_id))
    }

    fn list_webhooks(&self, params: ListWebhooks) -> Answer<WebhookPage> {
        self.read(move |connection| list_webhooks::run(connection, &params))
    }

    fn remembered_webhooks(&self, params: RememberedWebhooks) -> Answer<Vec<Remembered>> {
        self.read(move |connection| remembered_webhooks::run(connection, &params))
    }

    fn update_webhook(&self, params: UpdateWebhook) -> Answer<Webhook> {
        self.change(move |write| update_webhook::run(write, &params))
    }

    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<Webhook> {
        self.change(move |write| delete_webhook::run(write, &params))
    }

    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>> {
        self.read(move |connection| lane::run(connection, webhook))
    }

    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>> {
        self.read(move |connection| fan_out::run(connection, workspace))
    }

    fn create_signing_key(&self, key: SigningKey) -> Answer<()> {
        self.create(move |write| create_signing_key::run(write, &key))
    }

    fn signing_key(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<SigningKey>> {
        self.read(move |connection| signing_key::by_public_id(connection, workspace, &public_id))
    }

    fn list_signing_keys(&self, workspace: WorkspaceId) -> Answer<Vec<SigningKey>> {
        self.read(move |connection| signing_key::list(connection, workspace))
    }

    fn delete_signing_key(&self, params: DeleteSigningKey) -> Answer<SigningKey> {
        self.change(move |write| delete_signing_key::run(write, &params))
    }

    fn create_credential(&self, credential: Credential, hash: CredentialHash) -> Answer<()> {
        self.create(move |write| create_credential::run(write, &credential, hash))
    }

    fn credential_by_hash(&self, hash: CredentialHash) -> Answer<Option<Credential>> {
        self.read(move |connection| credential_by_hash::run(connection, hash))
    }

    fn list_credentials(&self, workspace: WorkspaceId) -> Answer<Vec<Credential>> {
        self.read(move |connection| list_credentials::run(connection, workspace))
    }

    fn revoke_credential(&self, workspace: WorkspaceId, credential: CredentialId) -> Answer<()> {
        self.change(move |write| revoke_credential::run(write, workspace, credential))
    }

    fn create_user(&self, params: CreateUser) -> Answer<()> {
        self.create(move |write| create_user::run(write, &params))
    }

    fn grant_right(&self, right: Right) -> Answer<()> {
        self.create(move |write| grant_right::run(write, &right))
    }

    fn list_rights(&self, workspace: WorkspaceId) -> Answer<Vec<HeldRight>> {
        self.read(move |connection| list_rights::run(connection, workspace))
    }

    fn revoke_right(&self, workspace: WorkspaceId, right: CredentialId) -> Answer<UserId> {
        self.change(move |write| revoke_right::run(write, workspace, right))
    }

    fn user(&self, dialect: String, public_id: String) -> Answer<Option<User>> {
        self.read(move |connection| user::run(connection, &dialect, &public_id))
    }

    fn account(&self, dialect: String, username: String) -> Answer<Option<Account>> {
        self.read(move |connection| account::run(connection, &dialect, &username))
    }

    /// Taken while the disk is full: whoever looks after things must get in.
    fn open_session(&self, session: Session, hash: CredentialHash) -> Answer<()> {
        self.change(move |write| open_session::run(write, &session, hash))
    }

    fn session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenSession>> {
        self.read(move |connection| session_by_hash::run(connection, hash))
    }

    fn create_operator_key(&self, key: OperatorKey, hash: CredentialHash) -> Answer<()> {
        self.create(move |write| create_operator_key::run(write, &key, hash))
    }

    fn operator_key_by_hash(&self, hash: CredentialHash) -> Answer<Option<OperatorKey>> {
        self.read(move |connection| operator_key::by_hash(connection, hash))
    }

    fn operator_key(&self, key: OperatorKeyId) -> Answer<Option<OperatorKey>> {
        self.read(move |connection| operator_key::run(connection, key))
    }

    fn list_operator_keys(&self, params: ListOperatorKeys) -> Answer<Vec<OperatorKey>> {
        self.read(move |connection| list_operator_keys::run(connection, params))
    }

    fn revoke_operator_key(&self, key: OperatorKeyId) -> Answer<()> {
        self.change(move |write| revoke_operator_key::run(write, key))
    }

    fn rotate_operator_key(&self, params: RotateOperatorKey) -> Answer<()> {
        self.change(move |write| rotate_operator_key::run(write, &params))
    }

    fn do_once(&self, effect: Effect, once: Once, answer: SealedSecret) -> Answer<Done<(), SealedSecret>> {
        let terms = once::terms(&effect);
        let work = move |write: &mut Write<'_>| once::run(write, &effect, once, &answer);
        self.writing().write(terms, CHANGE_BYTES, work)
    }

    fn done_before(&self, once: Once) -> Answer<Option<SealedSecret>> {
        self.read(move |connection| once::done_before(connection, once))
    }

    fn settle_changes(&self) -> Answer<()> {
        self.read(|_| Ok(()))
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    account::SELECT,
    close_workspace::INSERT,
    close_workspace::SELECT_WORKSPACE,
    close_workspace::SELECT_LAST_EVENT,
    close_workspace::DELETE,
    close_workspace::ANY_LEFT,
    create_credential::IS_TAKEN,
    create_credential::INSERT,
    create_operator_key::IS_TAKEN,
    create_operator_key::IS_FULL,
    create_operator_key::SELECT_EXPIRED,
    create_operator_key::INSERT,
    create_signing_key::IS_TAKEN,
    create_signing_key::IS_FULL,
    create_signing_key::INSERT,
    create_user::IS_NAME_TAKEN,
    create_user::IS_ID_TAKEN,
    create_user::INSERT,
    create_webhook::IS_TAKEN,
    create_webhook::IS_FULL,
    create_webhook::IS_FULL_OF_FILTERS,
    create_webhook::INSERT,
    create_workspace::IS_TAKEN,
    create_workspace::INSERT,
    create_workspace::INSERT_HEAD,
    credential_by_hash::SELECT,
    delete_signing_key::UPDATE,
    delete_webhook::UPDATE,
    disable::UPDATE,
    erase_workspace::SELECT_WEBHOOKS,
    erase_workspace::SELECT_NEWEST_CREDENTIAL,
    erase_workspace::SELECT_NEWEST_OPERATOR_KEY,
    erase_workspace::DELETE_OPERATOR_KEYS,
    erase_workspace::DELETE_CREDENTIALS,
    erase_workspace::SELECT_RIGHTS,
    erase_workspace::DELETE_SEALED,
    erase_workspace::WIPE_SIGNING_KEYS,
    erase_workspace::UPDATE,
    erase_workspace::WIPE,
    erase_workspace::SELECT_ERASED_AT,
    erase_workspace::DELETE_HEAD,
    erase_workspace::INSERT_REST,
    expire_secrets::SELECT,
    expire_secrets::UPDATE,
    fan_out::SELECT_VERSION,
    fan_out::SELECT_WEBHOOKS,
    forget_operator_keys::SELECT,
    forget_users::SELECT_RIGHTS,
    forget_users::DELETE_SESSIONS,
    find::SELECT_WORKSPACE,
    find::SELECT_WORKSPACE_BY_PUBLIC_ID,
    find::WORKSPACE_LIVES,
    find::SELECT_WEBHOOK,
    find::SELECT_WEBHOOK_BY_PUBLIC_ID,
    grant_right::USER_LIVES,
    grant_right::IS_USER_FULL,
    grant_right::IS_WORKSPACE_FULL,
    grant_right::SELECT_EXPIRED,
    grant_right::INSERT,
    lane::SELECT,
    list_credentials::SELECT,
    list_operator_keys::SELECT,
    list_operator_keys::SELECT_OF_WORKSPACE,
    list_rights::SELECT,
    list_webhooks::COUNT,
    list_webhooks::SELECT,
    list_workspaces::SELECT,
    next_number::SELECT,
    next_number::UPDATE,
    once::SELECT,
    once::INSERT,
    once::DELETE_NAMED,
    once::DELETE_OLDEST,
    once::DELETE_OLDEST_OF,
    open_session::IS_TAKEN,
    open_session::REPLACE,
    operator_key::SELECT,
    operator_key::SELECT_BY_HASH,
    remembered_webhooks::SELECT,
    remembered_webhooks::SELECT_BY_PUBLIC_ID,
    revoke_credential::DELETE,
    revoke_operator_key::DELETE,
    revoke_right::SELECT,
    revoke_right::DELETE,
    revoke_right::ANY_LEFT,
    revoke_right::DELETE_SESSION,
    revoke_right::DELETE_USER,
    rotate_operator_key::UPDATE,
    signing_key::SELECT,
    signing_key::SELECT_BY_PUBLIC_ID,
    signing_key::SELECT_ALL,
    session_by_hash::SELECT,
    update_webhook::UPDATE,
    update_workspace::UPDATE,
    user::SELECT,
    user::SELECT_RIGHTS,
];
