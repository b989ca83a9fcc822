//! Workspaces, webhooks, signing keys, credentials, users and operator keys: small, read often, changed seldom.

mod update_webhook;

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Cut;
use signalpost_core::id::{CredentialId, OperatorKeyId, SigningKeyId, UserId, WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::password::PasswordHash;
use signalpost_core::policy::PolicyChange;
use signalpost_core::principal::Principal;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

pub use self::update_webhook::{Switch, UpdateWebhook};
use crate::Answer;
use crate::ledger::{AcceptEvent, Accepted};
use crate::once::{Done, Effect, Once};

pub trait Catalog: Send + Sync {
    /// Stores a new workspace. `Taken("workspace id")` when its public id was ever used.
    fn create_workspace(&self, workspace: Workspace) -> Answer<()>;
    fn workspace_by_public_id(&self, public_id: String) -> Answer<Option<Workspace>>;
    /// Oldest first.
    fn list_workspaces(&self, params: ListWorkspaces) -> Answer<Vec<Workspace>>;
    /// The workspace after the change. `Missing("workspace")`. Counts as a change for fan-out.
    fn update_workspace(&self, params: UpdateWorkspace) -> Answer<Workspace>;
    /// Ends a tenant: credentials, rights of users, operator keys bound to it, signing keys and secrets are wiped, every
    /// webhook is deleted with its cut, and no verb finds the workspace any more. Its public id stays taken. `Missing("workspace")`. Returns the
    /// webhooks it ended. What else the tenant had is removed by [`crate::Ledger::retain`].
    fn erase_workspace(&self, params: EraseWorkspace) -> Answer<Vec<WebhookId>>;
    /// Ends a tenant as [`Self::erase_workspace`] does, but for one last event, which is stored for its targets in the
    /// same transaction. They are cut first, and keep their secrets, headers and signing keys until the event's delivery has
    /// ended: delivered, given up, or disabled. No verb finds them or the workspace any more, but those that deliver: they go
    /// on with its whole schedule. With the last of them the workspace is erased; at once, and without the event, when
    /// there are no targets. What else the tenant had stays until then.
    ///
    /// `Missing("workspace")`; `CatalogMoved` as [`crate::Ledger::accept`]. The event's `dedupe` must be `None`.
    fn close_workspace(&self, params: CloseWorkspace) -> Answer<Option<Accepted>>;

    /// Takes the next number of a counter, in a commit of its own: 1 at first, then each above the last, also over a
    /// restart, and whatever becomes of the object that it is for. Of workspaces those are left out that are the public id of
    /// one, living or not. `LimitReached` behind [`signalpost_core::limits::PUBLIC_NUMBER_MAX`].
    fn next_number(&self, counter: Counter) -> Answer<i64>;

    /// `Missing("workspace")`, `Taken("webhook id")` when the public id was ever used in the workspace,
    /// `LimitReached` when the workspace has `webhooks_max` webhooks, whatever their state, that are not deleted, or with
    /// this one more than [`signalpost_core::limits::FILTERED_WEBHOOKS_MAX`] with a filter; or
    /// `Missing("signing key")` when it refers to a key that the workspace does not have. The webhook's `created_after` and
    /// `settled_after` are set here, whatever the caller gives.
    fn create_webhook(&self, params: CreateWebhook) -> Answer<()>;
    /// A webhook of this workspace by its public id. Deleted ones are not found by any verb but [`Self::lane`] and
    /// [`Self::remembered_webhooks`].
    fn webhook(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<Webhook>>;
    /// Newest first.
    fn list_webhooks(&self, params: ListWebhooks) -> Answer<WebhookPage>;
    /// Webhooks of a workspace, the deleted ones too, newest first. None of a workspace that does not exist.
    fn remembered_webhooks(&self, params: RememberedWebhooks) -> Answer<Vec<Remembered>>;
    /// The webhook after the change. `Missing("webhook")`. What switches a webhook
    /// off may write a cut, see [`Switch`]. `WrongState` when
    /// it would have too many previous secrets, headers or metadata, or a login beside a header `authorization`.
    /// `Missing("signing key")` when the workspace has no such key. `LimitReached` for a filter where there was none, as
    /// [`Self::create_webhook`]. Secrets that have expired `at` then are wiped. A change
    /// of what decides about events ([`Webhook::decides_like`]) moves `settled_after`, here as in every other verb; one that
    /// names what was there already does not.
    ///
    /// When its [`OrderRule`](signalpost_core::order::OrderRule) does not block any more, keys that are blocked are released,
    /// [`signalpost_core::limits::UPKEEP_ROWS_MAX`] of them at once and the others in steps of [`crate::Ledger::upkeep`].
    fn update_webhook(&self, params: UpdateWebhook) -> Answer<Webhook>;
    /// Wipes secrets, login, headers and what else the owner wrote, and leaves a tombstone with a cut. Gives the webhook as
    /// it was until then.
    /// `Missing("webhook")` also for the second time.
    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<Webhook>;
    /// Everything that a lane needs to start, whatever the webhook's state. `None` when it is deleted.
    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>>;
    /// Everything that choosing targets needs. `None` when the workspace does not exist.
    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>>;

    /// `Missing("workspace")`, `Taken("signing key id")` when the public id was ever used in the workspace, or
    /// `LimitReached` when the workspace has [`signalpost_core::limits::SIGNING_KEYS_MAX`] keys that are not deleted.
    fn create_signing_key(&self, key: SigningKey) -> Answer<()>;
    /// A key of this workspace by its public id. Deleted ones are not found by any verb.
    fn signing_key(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<SigningKey>>;
    /// All of them, oldest first.
    fn list_signing_keys(&self, workspace: WorkspaceId) -> Answer<Vec<SigningKey>>;
    /// Wipes the secret and leaves a tombstone. Whatever refers to the key refers to none from then on, and is no other
    /// than it was: no webhook is changed, and nothing for fan-out. Gives the key as it was until then.
    /// `Missing("signing key")` also for the second time.
    fn delete_signing_key(&self, params: DeleteSigningKey) -> Answer<SigningKey>;

    /// `Missing("workspace")`, or `Taken("credential")` when the hash exists.
    fn create_credential(&self, credential: Credential, hash: CredentialHash) -> Answer<()>;
    /// Whatever its expiry says: the caller judges that with its own clock.
    fn credential_by_hash(&self, hash: CredentialHash) -> Answer<Option<Credential>>;
    /// Oldest first.
    fn list_credentials(&self, workspace: WorkspaceId) -> Answer<Vec<Credential>>;
    /// `Missing("credential")`.
    fn revoke_credential(&self, workspace: WorkspaceId, credential: CredentialId) -> Answer<()>;

    /// Stores a user with the first right and an open session. `Missing("workspace")` when the right is on one that does
    /// not exist; `Taken("username")`, or `Taken("user id")`, when a user of the same dialect instance has it;
    /// `Taken("session")` when the hash exists; the refusals of [`Self::grant_right`].
    fn create_user(&self, params: CreateUser) -> Answer<()>;
    /// Gives a user a further right. `Missing("workspace")`; `Missing("user")`; `LimitReached` when the user has
    /// [`signalpost_core::limits::USER_RIGHTS_MAX`] rights, or when the workspace has
    /// [`signalpost_core::limits::WORKSPACE_RIGHTS_MAX`] none of which has expired when it is created. One that has makes
    /// room as if it were revoked: of several the one that expired first.
    fn grant_right(&self, right: Right) -> Answer<()>;
    /// Rights on a workspace with the users who have them, oldest first.
    fn list_rights(&self, workspace: WorkspaceId) -> Answer<Vec<HeldRight>>;
    /// Takes a right away, and with their last one the user and the session. Gives the user who had it.
    /// `Missing("right")`.
    fn revoke_right(&self, workspace: WorkspaceId, right: CredentialId) -> Answer<UserId>;
    /// A user of a dialect instance by what the edge calls them.
    fn user(&self, dialect: String, public_id: String) -> Answer<Option<User>>;
    /// What a login needs. Whatever the ends of rights say: the caller judges that with its own clock.
    fn account(&self, dialect: String, username: String) -> Answer<Option<Account>>;
    /// Opens a session in place of the one that the user had. `Missing("user")`; `Taken("session")` when the hash exists.
    fn open_session(&self, session: Session, hash: CredentialHash) -> Answer<()>;
    /// Whatever the ends of session and rights say: the caller judges that with its own clock.
    fn session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenSession>>;

    /// `Missing("workspace")` when it is bound to one that does not exist, `Taken("operator key")` when the hash
    /// exists, `WrongState` when there are [`signalpost_core::limits::OPERATOR_KEYS_MAX`] of the same binding none of
    /// which has expired when it is created. One that has makes room: of several the one that expired first.
    fn create_operator_key(&self, key: OperatorKey, hash: CredentialHash) -> Answer<()>;
    /// Whatever its expiry says: the caller judges that with its own clock.
    fn operator_key_by_hash(&self, hash: CredentialHash) -> Answer<Option<OperatorKey>>;
    /// Operator keys belong to the operator, not to the workspace that they may be bound to: the caller judges who
    /// may see one.
    fn operator_key(&self, key: OperatorKeyId) -> Answer<Option<OperatorKey>>;
    /// Oldest first.
    fn list_operator_keys(&self, params: ListOperatorKeys) -> Answer<Vec<OperatorKey>>;
    /// `Missing("operator key")`.
    fn revoke_operator_key(&self, key: OperatorKeyId) -> Answer<()>;
    /// Stores a key's successor, names it in the key, and lets the key end at `ends_at`, if it does not end before that.
    /// Refuses as [`Self::create_operator_key`] does; `Missing("operator key")`; `WrongState` when the key has a
    /// successor already.
    fn rotate_operator_key(&self, params: RotateOperatorKey) -> Answer<()>;

    /// Carries out an effect and keeps `answer` for its call, or gives the answer that was kept for it before; the bounds
    /// on what is kept are those of [`crate::Ledger::accept_once`]. Admitted as the verb of the effect. `KeyReused` when it was another request; else the refusals of the effect, which leave the call unused.
    fn do_once(&self, effect: Effect, once: Once, answer: SealedSecret) -> Answer<Done<(), SealedSecret>>;
    /// The answer kept by [`Self::do_once`] for a call, if it was made. `KeyReused` when it was another request.
    fn done_before(&self, once: Once) -> Answer<Option<SealedSecret>>;

    /// Answers when every process that shares the store goes by every change that is committed by now. Each verb that takes
    /// something away waits for that itself; this is for whoever finds it gone, and cannot know whether it has waited to the end.
    fn settle_changes(&self) -> Answer<()>;
}

#[derive(Clone, Debug)]
pub struct CreateUser {
    pub user: User,
    pub password: PasswordHash,
    /// The user's own.
    pub right: Right,
    /// The user's own.
    pub session: Session,
    /// Of the session's key.
    pub hash: CredentialHash,
}

/// A right with the user who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRight {
    pub right: Right,
    pub user: User,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: User,
    pub password: PasswordHash,
    /// On whatever workspaces, in order of these and then of their own ids.
    pub rights: Vec<Right>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    pub session: Session,
    pub user: User,
    /// As in [`Account`].
    pub rights: Vec<Right>,
}

/// Filters are joined by "and".
#[derive(Clone, Copy, Debug)]
pub struct ListOperatorKeys {
    /// Keys bound to this workspace; all keys, bound or not, when it is `None`.
    pub workspace: Option<WorkspaceId>,
    pub after: Option<OperatorKeyId>,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct RotateOperatorKey {
    pub previous: OperatorKeyId,
    pub ends_at: Timestamp,
    pub next: OperatorKey,
    pub hash: CredentialHash,
}

#[derive(Clone, Debug)]
pub struct ListWorkspaces {
    pub after: Option<WorkspaceId>,
    pub limit: usize,
}

/// `None` leaves a property as it is.
#[derive(Clone, Debug)]
pub struct UpdateWorkspace {
    pub workspace: WorkspaceId,
    pub name: Option<String>,
    pub features: Option<Vec<String>>,
    /// Merged into what is stored when it is stored.
    pub policy: PolicyChange,
}

#[derive(Clone, Copy, Debug)]
pub struct EraseWorkspace {
    pub workspace: WorkspaceId,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct CreateWebhook {
    pub webhook: Webhook,
    /// Webhooks that the workspace may have with this one.
    pub webhooks_max: Option<usize>,
}

/// Without a limit.
impl From<Webhook> for CreateWebhook {
    fn from(webhook: Webhook) -> Self {
        Self { webhook, webhooks_max: None }
    }
}

#[derive(Clone, Debug)]
pub struct CloseWorkspace {
    /// Its workspace is the one to be closed, when it is accepted.
    pub farewell: AcceptEvent,
}

/// Filters are joined by "and". A page is the `limit` rows after skipping `offset` of those older than `before`.
#[derive(Clone, Debug)]
pub struct ListWebhooks {
    pub workspace: WorkspaceId,
    pub subject: Option<String>,
    pub active: Option<bool>,
    pub before: Option<WebhookId>,
    pub offset: usize,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookPage {
    pub rows: Vec<Webhook>,
    /// All webhooks that pass the filters, whatever the page.
    pub total: u64,
}

/// Filters are joined by "and".
#[derive(Clone, Debug)]
pub struct RememberedWebhooks {
    pub workspace: WorkspaceId,
    pub public_id: Option<String>,
    pub before: Option<WebhookId>,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct DeleteWebhook {
    pub workspace: WorkspaceId,
    pub webhook: WebhookId,
    pub at: Timestamp,
    pub by: Principal,
}

#[derive(Clone, Debug)]
pub struct DeleteSigningKey {
    pub workspace: WorkspaceId,
    pub key: SigningKeyId,
    pub at: Timestamp,
    /// Kept with the tombstone.
    pub by: Principal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRecord {
    pub webhook: Webhook,
    /// The one that the webhook refers to.
    pub signing_key: Option<SigningKey>,
    pub workspace: Workspace,
    pub cuts: Vec<Cut>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOut {
    pub workspace: Workspace,
    /// Grows with every change to the workspace or one of its webhooks; see [`crate::ledger::AcceptEvent`].
    pub version: u64,
    /// Active webhooks only, oldest first.
    pub webhooks: Vec<Webhook>,
}
