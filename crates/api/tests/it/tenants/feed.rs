//! What the parameters of calls name. A parameter that is not here fails the tests, so that whoever adds a route says
//! which of its parameters lead to something of a tenant.

use super::scene::Kind;

/// What a parameter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Nothing that belongs to anybody.
    Nothing,
    One(Kind),
}

/// `None` for a parameter that nobody has thought of.
pub(super) fn names(path: &str, name: &str) -> Option<Names> {
    let kind = match name {
        // A text that is looked for in the installation's own record, by nobody who is bound to a workspace.
        "workspace" if path == "/v1/audit" => return Some(Names::Nothing),
        "workspace" | "chain_id" => Kind::Workspace,
        "webhook" | "webhookId" | "endpointId" | "source" => Kind::Webhook,
        "event" => Kind::Event,
        "delivery" | "deliveryId" => Kind::Delivery,
        "credential" => Kind::Credential,
        "key" => Kind::Key,
        "replay" => Kind::Replay,
        "user_id" => Kind::User,
        "webhook_signature_id" => Kind::Signature,
        "id" if path.ends_with("-signature") => Kind::Signature,
        "id" if path.ends_with("-webhook") => Kind::Webhook,
        _ => return PLAIN.contains(&name).then_some(Names::Nothing),
    };
    Some(Names::One(kind))
}

/// Values, words of the dialect, and names that their owner chooses. A cursor says after which row a list goes on: of the
/// list of the caller, whoever's row it is.
const PLAIN: &[&str] = &[
    "Idempotency-Key",
    "X-Spaaza-API-Version",
    "action",
    "active",
    "agentId",
    "basic_auth",
    "by",
    "campaign_id",
    "cursor",
    "data",
    "dialect",
    "document",
    "event_name",
    "eventTypes",
    "events",
    "exclude_inactive",
    "expires_at",
    "expires_in_s",
    "features",
    "filter",
    "headers",
    // Of a new event or workspace: chosen by whoever makes it.
    "id",
    "identifier_key",
    "identifier_secret",
    "jobId",
    "limit",
    "max_in_flight",
    "metadata",
    "name",
    "on_exhausted",
    // Of those who operate, and of their sessions: the installation's.
    "operator",
    "session",
    "ordered",
    "ordering_key",
    "overlap_s",
    "page",
    "password",
    "payload_spaaza_api_version",
    "policy",
    "rate_limit_per_s",
    "rate_per_second",
    "resourceId",
    "pause_after_failing_s",
    "release_order",
    "retry_schedule_s",
    "rights",
    "role",
    "scopes",
    "secret",
    "session_s",
    "signalpost-cell",
    "since",
    "size",
    "start",
    "status",
    "subject",
    "time",
    "order",
    "timeout_ms",
    "type",
    "types",
    "until",
    "url",
    "username",
    "which",
];
