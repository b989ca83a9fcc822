//! What other nodes must know of what was changed: each remembers things, and none may act on what was taken away.

use signalpost_core::health::ReleaseOrder;
use signalpost_core::id::{
    CredentialId, OperatorAccountId, OperatorKeyId, OperatorSessionId, PortalSessionId, UserId, WebhookId,
    WorkspaceId,
};

/// Something that nodes remember is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Other webhooks get the events of a workspace: one was made, or was switched off by the node that delivers to it.
    FanOut(WorkspaceId),
    /// A webhook was changed, switched off or deleted.
    Webhook { workspace: WorkspaceId, webhook: WebhookId },
    /// A webhook was switched on, or released when `release` says in which order. Its health counts from nothing.
    Resumed { workspace: WorkspaceId, webhook: WebhookId, release: Option<ReleaseOrder> },
    /// Features, policy or a signing key of a workspace: what all of its webhooks go by.
    Workspace(WorkspaceId),
    /// A workspace is gone, and all that opens it.
    Erased(WorkspaceId),
    /// A workspace has come from another cell, or has stayed after all: it is served from here on, with what it is owed.
    Arrived(WorkspaceId),
    /// A customer's credential was revoked.
    Credential(CredentialId),
    /// An operator key was revoked, or ends earlier.
    OperatorKey(OperatorKeyId),
    /// An account of whoever operates was changed or is gone, and its sessions have ended.
    OperatorAccount(OperatorAccountId),
    /// A session of whoever operates has ended.
    OperatorSession(OperatorSessionId),
    /// A session of a customer at the portal has ended.
    PortalSession(PortalSessionId),
    /// All sessions at the portal of a workspace have ended.
    PortalSessions(WorkspaceId),
    /// A user has lost a right or a session.
    User(UserId),
    /// A user has a further right.
    Granted(UserId),
    /// A replay to this webhook was asked for, or was told to go on.
    Replay(WebhookId),
    /// More than anybody remembers.
    Any,
}

impl Change {
    /// Whether something was taken away: then whoever asked for it is answered when no node acts on it any more. All else
    /// reaches every node soon.
    pub const fn revokes(&self) -> bool {
        match self {
            Self::Webhook { .. }
            | Self::Workspace(_)
            | Self::Erased(_)
            | Self::Credential(_)
            | Self::OperatorKey(_)
            | Self::OperatorAccount(_)
            | Self::OperatorSession(_)
            | Self::PortalSession(_)
            | Self::PortalSessions(_)
            | Self::User(_)
            | Self::Any => true,
            Self::FanOut(_)
            | Self::Resumed { .. }
            | Self::Arrived(_)
            | Self::Granted(_)
            | Self::Replay(_) => false,
        }
    }
}
