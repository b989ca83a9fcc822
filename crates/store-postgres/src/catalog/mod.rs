//! The catalogue's verbs: workspaces, webhooks, signing keys, credentials, users and operator keys. One file each.

mod account;
pub(crate) mod away;
pub(crate) mod close_workspace;
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

use crate::store::PostgresStore;

impl Catalog for PostgresStore {
    fn create_workspace(&self, workspace: Workspace) -> Answer<()> {
        self.write(async move |write| create_workspace::run(write, &workspace).await)
    }

    fn workspace_by_public_id(&self, public_id: String) -> Answer<Option<Workspace>> {
        self.read(async move |session| find::workspace_by_public_id(session, &public_id).await)
    }

    fn list_workspaces(&self, params: ListWorkspaces) -> Answer<Vec<Workspace>> {
        self.read(async move |session| list_workspaces::run(session, &params).await)
    }

    fn update_workspace(&self, params: UpdateWorkspace) -> Answer<Workspace> {
        self.write(async move |write| update_workspace::run(write, &params).await)
    }

    fn erase_workspace(&self, params: EraseWorkspace) -> Answer<Vec<WebhookId>> {
        self.run(async move |pool| erase_workspace::run(&pool, params).await)
    }

    fn close_workspace(&self, params: CloseWorkspace) -> Answer<Option<Accepted>> {
        self.run(async move |pool| close_workspace::run(&pool, &params).await)
    }

    fn next_number(&self, counter: Counter) -> Answer<i64> {
        self.run(async move |pool| next_number::run(&pool, counter).await)
    }

    fn create_webhook(&self, params: CreateWebhook) -> Answer<()> {
        self.write(async move |write| create_webhook::run(write, &params).await)
    }

    fn webhook(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<Webhook>> {
        self.read(async move |session| find::webhook_by_public_id(session, workspace, &public_id).await)
    }

    fn list_webhooks(&self, params: ListWebhooks) -> Answer<WebhookPage> {
        self.read_snapshot(async move |session| list_webhooks::run(session, &params).await)
    }

    fn remembered_webhooks(&self, params: RememberedWebhooks) -> Answer<Vec<Remembered>> {
        self.read_snapshot(async move |session| remembered_webhooks::run(session, &params).await)
    }

    fn update_webhook(&self, params: UpdateWebhook) -> Answer<Webhook> {
        self.write(async move |write| update_webhook::run(write, &params).await)
    }

    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<Webhook> {
        self.write(async move |write| delete_webhook::run(write, &params).await)
    }

    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>> {
        self.read_snapshot(async move |session| lane::run(session, webhook).await)
    }

    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>> {
        self.read_snapshot(async move |session| fan_out::run(session, workspace).await)
    }

    fn create_signing_key(&self, key: SigningKey) -> Answer<()> {
        self.write(async move |write| create_signing_key::run(write, &key).await)
    }

    fn signing_key(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<SigningKey>> {
        self.read(async move |session| signing_key::by_public_id(session, workspace, &public_id).await)
    }

    fn list_signing_keys(&self, workspace: WorkspaceId) -> Answer<Vec<SigningKey>> {
        self.read_snapshot(async move |session| signing_key::list(session, workspace).await)
    }

    fn delete_signing_key(&self, params: DeleteSigningKey) -> Answer<SigningKey> {
        self.write(async move |write| delete_signing_key::run(write, &params).await)
    }

    fn create_credential(&self, credential: Credential, hash: CredentialHash) -> Answer<()> {
        self.write(async move |write| create_credential::run(write, &credential, hash).await)
    }

    fn credential_by_hash(&self, hash: CredentialHash) -> Answer<Option<Credential>> {
        self.read(async move |session| credential_by_hash::run(session, hash).await)
    }

    fn list_credentials(&self, workspace: WorkspaceId) -> Answer<Vec<Credential>> {
        self.read_snapshot(async move |session| list_credentials::run(session, workspace).await)
    }

    fn revoke_credential(&self, workspace: WorkspaceId, credential: CredentialId) -> Answer<()> {
        self.write(async move |write| revoke_credential::run(write, workspace, credential).await)
    }

    fn create_user(&self, params: CreateUser) -> Answer<()> {
        self.write(async move |write| create_user::run(write, &params).await)
    }

    fn grant_right(&self, right: Right) -> Answer<()> {
        self.write(async move |write| grant_right::run(write, &right).await)
    }

    fn list_rights(&self, workspace: WorkspaceId) -> Answer<Vec<HeldRight>> {
        self.read_snapshot(async move |session| list_rights::run(session, workspace).await)
    }

    fn revoke_right(&self, workspace: WorkspaceId, right: CredentialId) -> Answer<UserId> {
        self.write(async move |write| revoke_right::run(write, workspace, right).await)
    }

    fn user(&self, dialect: String, public_id: String) -> Answer<Option<User>> {
        self.read(async move |session| user::run(session, &dialect, &public_id).await)
    }

    fn account(&self, dialect: String, username: String) -> Answer<Option<Account>> {
        self.read_snapshot(async move |session| account::run(session, &dialect, &username).await)
    }

    fn open_session(&self, session: Session, hash: CredentialHash) -> Answer<()> {
        self.write(async move |write| open_session::run(write, &session, hash).await)
    }

    fn session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenSession>> {
        self.read_snapshot(async move |session| session_by_hash::run(session, hash).await)
    }

    fn create_operator_key(&self, key: OperatorKey, hash: CredentialHash) -> Answer<()> {
        self.write(async move |write| create_operator_key::run(write, &key, hash).await)
    }

    fn operator_key_by_hash(&self, hash: CredentialHash) -> Answer<Option<OperatorKey>> {
        self.read(async move |session| operator_key::by_hash(session, hash).await)
    }

    fn operator_key(&self, key: OperatorKeyId) -> Answer<Option<OperatorKey>> {
        self.read(async move |session| operator_key::run(session, key).await)
    }

    fn list_operator_keys(&self, params: ListOperatorKeys) -> Answer<Vec<OperatorKey>> {
        self.read(async move |session| list_operator_keys::run(session, params).await)
    }

    fn revoke_operator_key(&self, key: OperatorKeyId) -> Answer<()> {
        self.write(async move |write| revoke_operator_key::run(write, key).await)
    }

    fn rotate_operator_key(&self, params: RotateOperatorKey) -> Answer<()> {
        self.write(async move |write| rotate_operator_key::run(write, &params).await)
    }

    fn do_once(&self, effect: Effect, once: Once, answer: SealedSecret) -> Answer<Done<(), SealedSecret>> {
        self.write(async move |write| once::run(write, &effect, once, &answer).await)
    }

    fn done_before(&self, once: Once) -> Answer<Option<SealedSecret>> {
        self.read(async move |session| once::done_before(session, once).await)
    }

    fn settle_changes(&self) -> Answer<()> {
        self.settle()
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
    erase_workspace::INSERT_CUTS,
    erase_workspace::INSERT_SWEEPS,
    erase_workspace::SELECT_NEWEST_CREDENTIAL,
    erase_workspace::DELETE_CREDENTIALS,
    erase_workspace::SELECT_NEWEST_OPERATOR_KEY,
    erase_workspace::DELETE_OPERATOR_KEYS,
    erase_workspace::SELECT_RIGHTS,
    erase_workspace::DELETE_SEALED,
    erase_workspace::WIPE_SIGNING_KEYS,
    erase_workspace::UPDATE,
    erase_workspace::WIPE,
    erase_workspace::SELECT_ERASED_AT,
    erase_workspace::DELETE_HEAD,
    erase_workspace::INSERT_REST,
    expire_secrets::SELECT_EXPIRED,
    expire_secrets::SELECT,
    expire_secrets::UPDATE,
    fan_out::SELECT_VERSION,
    fan_out::SELECT_WEBHOOKS,
    find::SELECT_WORKSPACE,
    find::SELECT_WORKSPACE_BY_PUBLIC_ID,
    find::WORKSPACE_LIVES,
    find::SELECT_WEBHOOK,
    find::SELECT_WEBHOOK_BY_PUBLIC_ID,
    forget_operator_keys::SELECT,
    forget_users::SELECT_RIGHTS,
    forget_users::DELETE_SESSIONS,
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
    open_session::HAS_ONE,
    operator_key::SELECT,
    operator_key::SELECT_BY_HASH,
    remembered_webhooks::SELECT,
    remembered_webhooks::SELECT_BY_PUBLIC_ID,
    revoke_credential::DELETE,
    revoke_operator_key::DELETE,
    revoke_right::SELECT,
    revoke_right::DELETE,
    revoke_right::DELETE_USERS,
    revoke_right::DELETE_SESSIONS,
    rotate_operator_key::UPDATE,
    session_by_hash::SELECT,
    signing_key::SELECT,
    signing_key::SELECT_BY_PUBLIC_ID,
    signing_key::SELECT_ALL,
    update_webhook::SELECT,
    update_webhook::UPDATE,
    update_workspace::UPDATE,
    user::SELECT,
    user::SELECT_RIGHTS,
    user::IS_MOVING,
    away::IS_AWAY,
    away::IS_NAMED_AWAY,
    away::HAS_CREDENTIAL_AWAY,
    away::HAS_SESSION_AWAY,
    away::HAS_PORTAL_SESSION_AWAY,
    away::HAS_ACCOUNT_AWAY,
    away::HAS_WEBHOOK_AWAY,
    away::HAS_SIGNING_KEY_AWAY,
];
