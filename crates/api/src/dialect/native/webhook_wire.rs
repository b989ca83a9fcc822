//! The JSON of this surface's answers about webhooks, field for field.

use schemars::JsonSchema;
use serde::Serialize;
use signalpost_core::health::Standing;
use signalpost_core::order::OnExhausted;
use signalpost_core::webhook::DisableReason;

use super::wire::Pairs;
use crate::kit::schema::Instant;

/// One subscription.
#[derive(Serialize, JsonSchema)]
pub(super) struct Webhook {
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    pub(super) id: String,
    /// Only when it was just issued.
    #[schemars(example = &"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    #[schemars(example = &"https://example.com/hooks")]
    pub(super) url: String,
    /// Older secrets that sign as well, newest first.
    #[schemars(example = [0; 0])]
    pub(super) previous_secrets: Vec<PreviousSecret>,
    /// Event types and patterns such as `order.*`; `*` alone stands for all.
    #[schemars(example = ["order.paid"])]
    pub(super) events: Vec<String>,
    /// Only events about it are sent; null for events about anything.
    #[schemars(example = &"shop-17")]
    pub(super) subject: Option<String>,
    /// Only events that it admits are sent; null for all of them.
    #[schemars(example = &"data.amount > 100")]
    pub(super) filter: Option<String>,
    #[schemars(example = &"billing")]
    pub(super) name: Option<String>,
    /// Headers that are sent along, by name in lower case; the values are never shown.
    #[schemars(example = serde_json::Map::new())]
    pub(super) headers: Pairs<&'static str>,
    /// The login that every request carries; null when it carries none.
    pub(super) basic_auth: Option<BasicAuth>,
    /// What its owner keeps with it, by name.
    #[schemars(example = example_metadata())]
    pub(super) metadata: Pairs<String>,
    /// Id of the key that signs, where the dialect's workspaces have such keys; null when it is not signed, or with a
    /// secret of its own.
    #[schemars(example = &"56")]
    pub(super) signing_key: Option<String>,
    /// Of its own; null for the workspace's.
    #[schemars(example = [5, 300, 1800])]
    pub(super) retry_schedule_s: Option<Vec<u64>>,
    /// Of its own; null for the workspace's.
    #[schemars(example = 15_000)]
    pub(super) timeout_ms: Option<u64>,
    /// Requests that may be in flight at once; null for as many as its receiver is found to bear.
    #[schemars(example = 4)]
    pub(super) max_in_flight: Option<u16>,
    /// Requests a second, retries included; null for no ceiling.
    #[schemars(example = 50)]
    pub(super) rate_per_second: Option<u32>,
    /// Whether events with the same `ordering_key` are sent one after the other.
    #[schemars(example = true)]
    pub(super) ordered: bool,
    /// What becomes of a key when a delivery of it is given up, where they are.
    #[schemars(extend("enum" = OnExhausted::ALL.map(OnExhausted::name)))]
    pub(super) on_exhausted: &'static str,
    pub(super) in_force: Patience,
    #[schemars(extend("enum" = ["active", "disabled"]))]
    pub(super) status: &'static str,
    #[schemars(with = "Option<Instant>")]
    pub(super) disabled_at: Option<String>,
    /// `by_owner`: switched off; `paused`: switched off, and what is pending waits; `gone`: the receiver answered 410;
    /// `failing`: too many failures in a row.
    #[schemars(extend("enum" = disable_reasons()))]
    pub(super) disabled_reason: Option<&'static str>,
    #[schemars(example = 0)]
    pub(super) consecutive_failures: u32,
    pub(super) health: Health,
    /// Requests that its receiver was last found to bear at once, to within a factor of two; null while it is not known to
    /// bear more or fewer than any other.
    #[schemars(example = 64)]
    pub(super) concurrency: Option<u16>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Instant")]
    pub(super) updated_at: String,
}

/// How its receiver has answered of late.
#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// `slow`: it has failed ten times in a row, and gives way to others; `paused`: it has only failed for long, what is pending
    /// is held, and a probe asks from time to time whether it is back.
    #[schemars(extend("enum" = Standing::ALL.map(Standing::name)))]
    pub(super) state: &'static str,
    /// Since when it only fails; null when its last answer was a success.
    #[schemars(with = "Option<Instant>")]
    pub(super) failing_since: Option<String>,
    #[schemars(with = "Option<Instant>")]
    pub(super) paused_since: Option<String>,
    /// Probes of this pause that have failed; null while there is none.
    #[schemars(example = 3)]
    pub(super) failed_probes: Option<u32>,
    #[schemars(with = "Option<Instant>")]
    pub(super) next_probe_at: Option<String>,
}

/// A login at the receiver (RFC 7617). Its password is never shown.
#[derive(Serialize, JsonSchema)]
pub(super) struct BasicAuth {
    #[schemars(example = &"signalpost")]
    pub(super) username: String,
}

fn example_metadata() -> serde_json::Value {
    serde_json::json!({"team": "billing"})
}

/// A secret that was replaced and still signs.
#[derive(Serialize, JsonSchema)]
pub(super) struct PreviousSecret {
    #[schemars(with = "Instant")]
    pub(super) expires_at: String,
}

/// How patient deliveries to a webhook are, by its own rules and its workspace's.
#[derive(Serialize, JsonSchema)]
pub(super) struct Patience {
    #[schemars(example = [5, 300, 1800])]
    pub(super) retry_schedule_s: Vec<u64>,
    #[schemars(example = 15_000)]
    pub(super) timeout_ms: u64,
}

/// A webhook with its new secret.
#[derive(Serialize, JsonSchema)]
pub(super) struct RotatedSecret {
    /// When the secret that was replaced signs no more.
    #[schemars(with = "Instant")]
    pub(super) previous_expires_at: String,
    #[serde(flatten)]
    pub(super) webhook: Webhook,
}

/// A test that is on disk and on its way.
#[derive(Serialize, JsonSchema)]
pub(super) struct TestReceipt {
    /// Id of the event.
    #[schemars(example = &"evt_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    #[schemars(example = 17)]
    pub(super) sequence: i64,
    /// Id of the delivery, under which every attempt is found.
    #[schemars(example = &"dlv_0aB3dE6gH9jK2mN5pQ8sT1")]
    pub(super) delivery: String,
}

fn disable_reasons() -> Vec<Option<&'static str>> {
    DisableReason::ALL.into_iter().map(|reason| Some(reason.name())).chain([None]).collect()
}
