//! Accounts, sessions, links to the portal and the record as callers see them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use signalpost_core::act::Surface;
use signalpost_core::role::Role;

use crate::kit::schema::Instant;

/// A way into the portal of a workspace.
#[derive(Serialize, JsonSchema)]
pub(super) struct PortalLink {
    /// Where to lead the customer, in a frame or a window of its own.
    #[schemars(example = &"https://hooks.example.com/portal/open?link=spl_AQAAAAA")]
    pub(super) url: String,
    /// What the address carries, for who makes addresses by themselves. Whoever has it is let in.
    #[schemars(example = &"spl_AQAAAAA")]
    pub(super) token: String,
    /// As the audit log calls it where it says how a customer came in.
    #[schemars(example = &"2b7e151628aed2a6abf7158809cf4f3c")]
    pub(super) id: String,
    #[schemars(with = "Instant")]
    pub(super) expires_at: String,
}

/// Somebody who signs in at the dashboard with a name and a password.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Operator")]
pub(super) struct OperatorAccount {
    #[schemars(example = &"opa_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    #[schemars(example = &"ann@example.com")]
    pub(super) username: String,
    #[schemars(extend("enum" = json!(Role::ALL.map(Role::name))))]
    pub(super) role: &'static str,
    /// Only where one was made, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Instant")]
    pub(super) updated_at: String,
}

/// Somebody who is signed in at the dashboard.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct OperatorSession {
    #[schemars(example = &"ops_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    /// With what it was opened: the installation's own key, an operator key, or an operator's password.
    #[schemars(extend("enum" = json!(["root", "key", "account"])))]
    pub(super) opened_by: &'static str,
    /// Id of the key or the operator; null for the installation's own key.
    #[schemars(example = &"opa_0aB3dE6gH9jK2mN5")]
    pub(super) opener: Option<String>,
    #[schemars(example = &"ann@example.com")]
    pub(super) opener_name: Option<String>,
    #[schemars(extend("enum" = json!(Role::ALL.map(Role::name))))]
    pub(super) role: &'static str,
    /// The only one that it knows of; null for all.
    #[schemars(example = &"ws_4fT7dK2mQ9xZ1bNc")]
    pub(super) workspace: Option<String>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Instant")]
    pub(super) expires_at: String,
}

/// Something that somebody did, or tried to.
#[derive(Serialize, JsonSchema)]
pub(super) struct Act {
    #[schemars(example = &"act_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    #[schemars(with = "Instant")]
    pub(super) at: String,
    pub(super) by: ActedBy,
    #[schemars(example = &"webhook.delete")]
    pub(super) action: String,
    /// To what it was done: an id, or the path of a call.
    #[schemars(example = &"/v1/workspaces/ws_4fT7dK2mQ9xZ1bNc/webhooks/wh_8sL3pV6nH1yJ5gRe")]
    pub(super) object: String,
    #[schemars(example = &"ws_4fT7dK2mQ9xZ1bNc")]
    pub(super) workspace: Option<String>,
    /// The operator API, a page of the dashboard, or the customers' portal.
    #[schemars(extend("enum" = json!(Surface::ALL.map(Surface::name))))]
    pub(super) surface: &'static str,
    #[schemars(example = &"192.0.2.7")]
    pub(super) address: Option<String>,
    #[schemars(example = &"9d1f3a8e-0000-4000-a000-0123456789ab")]
    pub(super) request_id: String,
    /// `pending`: it is under way, or nobody knows whether it was done.
    #[schemars(extend("enum" = json!(["pending", "done", "refused"])))]
    pub(super) result: &'static str,
    /// Of the answer; null while it is pending.
    #[schemars(example = 204)]
    pub(super) status: Option<u16>,
    pub(super) detail: String,
}

/// Who did it, as they were called then.
#[derive(Serialize, JsonSchema)]
pub(super) struct ActedBy {
    /// The installation's own key, an operator key, an operator, or a customer at the portal.
    #[schemars(extend("enum" = json!(["root", "key", "account", "customer"])))]
    pub(super) kind: &'static str,
    /// Of the key, the operator, or the session at the portal.
    #[schemars(example = &"opk_0aB3dE6gH9jK2mN5")]
    pub(super) id: Option<String>,
    #[schemars(example = &"billing service")]
    pub(super) name: Option<String>,
}
