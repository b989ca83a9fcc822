//! Workspaces, webhooks and credentials: small, read often, changed seldom.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Cut;
use signalpost_core::id::{CredentialId, WebhookId, WorkspaceId};
use signalpost_core::policy::PolicyChange;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, EventSelection, Webhook};
use signalpost_core::workspace::Workspace;

use crate::Answer;

pub trait Catalog: Send + Sync {
    /// Stores a new workspace. `Taken("workspace id")` when its public id was ever used.
    fn create_workspace(&self, workspace: Workspace) -> Answer<()>;
    fn workspace_by_public_id(&self, public_id: String) -> Answer<Option<Workspace>>;
    /// Oldest first.
    fn list_workspaces(&self, params: ListWorkspaces) -> Answer<Vec<Workspace>>;
    /// The workspace after the change. `Missing("workspace")`. Counts as a change for fan-out.
    fn update_workspace(&self, params: UpdateWorkspace) -> Answer<Workspace>;
    /// Ends a tenant: credentials and secrets are wiped, every webhook is deleted with its cut, and no verb finds
    /// the workspace any more. Its public id stays taken. `Missing("workspace")`. Returns the webhooks it ended.
    /// What else the tenant had is removed by [`crate::Ledger::retain`].
    fn erase_workspace(&self, params: EraseWorkspace) -> Answer<Vec<WebhookId>>;

    /// `Missing("workspace")`, or `Taken("webhook id")` when the public id was ever used in the workspace.
    fn create_webhook(&self, webhook: Webhook) -> Answer<()>;
    /// A webhook of this workspace by its public id. Deleted ones are not found by any verb but [`Self::lane`].
    fn webhook(&self, workspace: WorkspaceId, public_id: String) -> Answer<Option<Webhook>>;
    /// Newest first.
    fn list_webhooks(&self, params: ListWebhooks) -> Answer<WebhookPage>;
    /// The webhook after the change. `Missing("webhook")`. Disabling an active webhook writes a cut.
    fn update_webhook(&self, params: UpdateWebhook) -> Answer<Webhook>;
    /// Wipes the secret and leaves a tombstone with a cut. `Missing("webhook")` also for the second time.
    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<()>;
    /// Everything that a lane needs to start, whatever the webhook's state. `None` when it is deleted.
    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>>;
    /// Everything that choosing targets needs. `None` when the workspace does not exist.
    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>>;

    /// `Missing("workspace")`, or `Taken("credential")` when the hash exists.
    fn create_credential(&self, credential: Credential, hash: CredentialHash) -> Answer<()>;
    /// Whatever its expiry says: the caller judges that with its own clock.
    fn credential_by_hash(&self, hash: CredentialHash) -> Answer<Option<Credential>>;
    /// Oldest first.
    fn list_credentials(&self, workspace: WorkspaceId) -> Answer<Vec<Credential>>;
    /// `Missing("credential")`.
    fn revoke_credential(&self, workspace: WorkspaceId, credential: CredentialId) -> Answer<()>;
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

/// `None` leaves a property as it is.
#[derive(Clone, Debug)]
pub struct UpdateWebhook {
    pub workspace: WorkspaceId,
    pub webhook: WebhookId,
    pub at: Timestamp,
    pub name: Option<String>,
    pub url: Option<String>,
    pub events: Option<EventSelection>,
    pub subject: Option<Option<String>>,
    pub switch: Option<Switch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Active, with the failure count back at zero. Nothing happens to a webhook that is active already.
    Enable,
    /// Nothing happens to a webhook that is disabled already.
    Disable(DisableReason),
}

#[derive(Clone, Copy, Debug)]
pub struct DeleteWebhook {
    pub workspace: WorkspaceId,
    pub webhook: WebhookId,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRecord {
    pub webhook: Webhook,
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
