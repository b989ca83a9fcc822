//! How a change stands in its row.

use signalpost_core::health::ReleaseOrder;
use signalpost_core::id::{
    CredentialId, OperatorAccountId, OperatorKeyId, OperatorSessionId, PortalSessionId, UserId, WebhookId,
    WorkspaceId,
};
use signalpost_store::change::Change;

/// The columns that tell one change from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns<'r> {
    pub(super) kind: &'r str,
    pub(super) workspace: Option<i64>,
    pub(super) object: Option<i64>,
    pub(super) release_order: Option<&'r str>,
}

impl Columns<'static> {
    pub(super) fn of(change: &Change) -> Self {
        let kind = |kind| Self { kind, workspace: None, object: None, release_order: None };
        let of_workspace = |name, id: WorkspaceId| Self { workspace: Some(id.raw()), ..kind(name) };
        let of_object = |name, id| Self { object: Some(id), ..kind(name) };
        match *change {
            Change::FanOut(id) => of_workspace("fan_out", id),
            Change::Webhook { workspace, webhook } => {
                Self { object: Some(webhook.raw()), ..of_workspace("webhook", workspace) }
            }
            Change::Resumed { workspace, webhook, release } => Self {
                object: Some(webhook.raw()),
                release_order: release.map(ReleaseOrder::name),
                ..of_workspace("resumed", workspace)
            },
            Change::Workspace(id) => of_workspace("workspace", id),
            Change::Erased(id) => of_workspace("erased", id),
            Change::Arrived(id) => of_workspace("arrived", id),
            Change::Credential(id) => of_object("credential", id.raw()),
            Change::OperatorKey(id) => of_object("operator_key", id.raw()),
            Change::OperatorAccount(id) => of_object("operator_account", id.raw()),
            Change::OperatorSession(id) => of_object("operator_session", id.raw()),
            Change::PortalSession(id) => of_object("portal_session", id.raw()),
            Change::PortalSessions(id) => of_workspace("portal_sessions", id),
            Change::User(id) => of_object("user", id.raw()),
            Change::Granted(id) => of_object("granted", id.raw()),
            Change::Replay(webhook) => of_object("replay", webhook.raw()),
            Change::Any => kind("any"),
        }
    }
}

impl Columns<'_> {
    /// What a newer program has written may be anything.
    pub(super) fn change(self) -> Change {
        self.known().unwrap_or(Change::Any)
    }

    fn known(self) -> Option<Change> {
        let workspace = || self.workspace.map(WorkspaceId::from_raw);
        let webhook = || self.object.map(WebhookId::from_raw);
        let change = match self.kind {
            "fan_out" => Change::FanOut(workspace()?),
            "webhook" => Change::Webhook { workspace: workspace()?, webhook: webhook()? },
            "resumed" => {
                let release = match self.release_order {
                    Some(name) => Some(ReleaseOrder::from_name(name)?),
                    None => None,
                };
                Change::Resumed { workspace: workspace()?, webhook: webhook()?, release }
            }
            "workspace" => Change::Workspace(workspace()?),
            "erased" => Change::Erased(workspace()?),
            "arrived" => Change::Arrived(workspace()?),
            "credential" => Change::Credential(CredentialId::from_raw(self.object?)),
            "operator_key" => Change::OperatorKey(OperatorKeyId::from_raw(self.object?)),
            "operator_account" => Change::OperatorAccount(OperatorAccountId::from_raw(self.object?)),
            "operator_session" => Change::OperatorSession(OperatorSessionId::from_raw(self.object?)),
            "portal_session" => Change::PortalSession(PortalSessionId::from_raw(self.object?)),
            "portal_sessions" => Change::PortalSessions(workspace()?),
            "user" => Change::User(UserId::from_raw(self.object?)),
            "granted" => Change::Granted(UserId::from_raw(self.object?)),
            "replay" => Change::Replay(webhook()?),
            _ => return None,
        };
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_as_it_was_written() {
        let (workspace, webhook) = (WorkspaceId::from_raw(1), WebhookId::from_raw(2));
        let resumed = |release| Change::Resumed { workspace, webhook, release };
        for change in [
            Change::FanOut(workspace),
            Change::Webhook { workspace, webhook },
            resumed(None),
            resumed(Some(ReleaseOrder::NewestFirst)),
            Change::Workspace(workspace),
            Change::Erased(workspace),
            Change::Arrived(workspace),
            Change::Credential(CredentialId::from_raw(3)),
            Change::OperatorKey(OperatorKeyId::from_raw(4)),
            Change::OperatorAccount(OperatorAccountId::from_raw(7)),
            Change::OperatorSession(OperatorSessionId::from_raw(6)),
            Change::PortalSession(PortalSessionId::from_raw(8)),
            Change::PortalSessions(workspace),
            Change::User(UserId::from_raw(5)),
            Change::Granted(UserId::from_raw(5)),
            Change::Replay(webhook),
            Change::Any,
        ] {
            assert_eq!(Columns::of(&change).change(), change);
        }
    }

    #[test]
    fn what_is_not_understood_may_be_anything() {
        let known = Columns::of(&Change::Workspace(WorkspaceId::from_raw(1)));
        assert_eq!(Columns { kind: "from the future", ..known }.change(), Change::Any);
        assert_eq!(Columns { workspace: None, ..known }.change(), Change::Any);
        let order = Columns { kind: "resumed", object: Some(2), release_order: Some("by colour"), ..known };
        assert_eq!(order.change(), Change::Any);
    }
}
