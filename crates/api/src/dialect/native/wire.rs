//! The JSON of this surface's answers, field for field.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use signalpost_core::attempt::Failure;
use signalpost_core::delivery::{CutReason, DeliveryStatus};
use signalpost_core::health::ReleaseOrder;
use signalpost_core::scope::Scope;

use crate::kit::schema::Instant;

/// One tenant.
#[derive(Serialize, JsonSchema)]
pub(super) struct Workspace {
    #[schemars(example = &"ws_4fT7dK2mQ9xZ1bNc")]
    pub(super) id: String,
    /// The public contract that it speaks.
    #[schemars(example = &"native")]
    pub(super) dialect: String,
    #[schemars(example = &"Acme")]
    pub(super) name: String,
    /// What is switched on of what the dialect knows.
    pub(super) features: Vec<String>,
    /// What is in force; null when this process does not serve the workspace's dialect.
    pub(super) policy: Option<Policy>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    /// The number of the database that it lies in; only where the installation is divided into several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 1)]
    pub(super) cell: Option<usize>,
    /// Only of a workspace that was asked for by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
}

/// What a workspace has stored.
#[derive(Serialize, JsonSchema)]
pub(super) struct Usage {
    #[schemars(example = 1_000)]
    pub(super) events: u64,
    /// Events with their payloads and histories.
    #[schemars(example = 1_250_000)]
    pub(super) bytes: u64,
}

/// How patient deliveries are, and what is kept.
#[derive(Serialize, JsonSchema)]
pub(super) struct Policy {
    /// Delays between attempts, in seconds: one attempt more than delays.
    #[schemars(example = [5, 300, 1800])]
    pub(super) retry_schedule_s: Vec<u64>,
    /// Time for one attempt as a whole, in milliseconds.
    #[schemars(example = 15_000)]
    pub(super) timeout_ms: u64,
    /// Seconds for which a receiver has only failed when its webhook is paused by the engine; 0 is never.
    #[schemars(example = 1_800)]
    pub(super) pause_after_failing_s: u64,
    /// In which order what was held meanwhile is sent.
    #[schemars(extend("enum" = ReleaseOrder::ALL.map(ReleaseOrder::name)))]
    pub(super) release_order: &'static str,
    #[serde(flatten)]
    pub(super) retention: Retention,
}

/// How long history is kept, and how much of it; null is no bound.
#[derive(Serialize, JsonSchema)]
pub(super) struct Retention {
    /// Age at which an event goes with its deliveries, in seconds.
    #[schemars(example = 2_592_000)]
    pub(super) event_retention_s: Option<u64>,
    /// Age at which an event's payload goes, in seconds.
    #[schemars(example = 2_592_000)]
    pub(super) payload_retention_s: Option<u64>,
    /// Bytes stored, of a workspace or of the whole store; the oldest events go first.
    #[schemars(example = 1_073_741_824)]
    pub(super) retention_bytes: Option<u64>,
}

/// What the whole store takes.
#[derive(Serialize, JsonSchema)]
pub(super) struct Storage {
    /// Size of the database.
    #[schemars(example = 1_073_741_824)]
    pub(super) database_bytes: u64,
    /// Free inside the database, to be used again.
    #[schemars(example = 8_192)]
    pub(super) free_bytes: u64,
    /// Written ahead and not yet folded into the database.
    #[schemars(example = 4_120_032)]
    pub(super) wal_bytes: u64,
    /// Free on the database's filesystem; null where it cannot be asked.
    #[schemars(example = 107_374_182_400_u64)]
    pub(super) disk_free_bytes: Option<u64>,
    /// Size of the database's filesystem.
    #[schemars(example = 214_748_364_800_u64)]
    pub(super) disk_total_bytes: Option<u64>,
    /// Whether new events are refused for want of room.
    #[schemars(example = false)]
    pub(super) full: bool,
    /// Events of all workspaces.
    #[schemars(example = 1_000_000)]
    pub(super) events: u64,
    /// Answers kept for idempotency keys.
    #[schemars(example = 272_000)]
    pub(super) idempotency_bytes: u64,
    /// Of those, how many went before their 24 hours since the server was started.
    #[schemars(example = 0)]
    pub(super) idempotency_forgotten: u64,
    #[schemars(with = "Option<Instant>")]
    pub(super) oldest_event_at: Option<String>,
    /// The rules for workspaces that have none of their own, and the bound of the whole store.
    pub(super) retention: Retention,
}

/// A key of the operator side.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct OperatorKey {
    #[schemars(example = &"opk_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    /// Only when it was just issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    #[schemars(example = &"billing service")]
    pub(super) name: Option<String>,
    /// What it may do; `admin` includes the others.
    #[schemars(extend("items" = json!({"type": "string", "enum": Scope::ALL.map(Scope::name)})))]
    pub(super) scopes: Vec<&'static str>,
    /// The only workspace that it knows of; null for all.
    #[schemars(example = &"ws_4fT7dK2mQ9xZ1bNc")]
    pub(super) workspace: Option<String>,
    /// Enough of the secret to tell it from others.
    #[schemars(example = &"spo_4fT7…pQ9x")]
    pub(super) preview: String,
    /// Calls a second; null for no limit.
    #[schemars(example = 50)]
    pub(super) rate_limit_per_s: Option<u32>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Option<Instant>")]
    pub(super) expires_at: Option<String>,
    /// The key that took its place when it was rotated.
    #[schemars(example = &"opk_1bC4eF7hI0kL3nO6")]
    pub(super) successor: Option<String>,
}

/// A key's successor.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RotatedKey")]
pub(super) struct RotatedOperatorKey {
    #[serde(flatten)]
    pub(super) key: OperatorKey,
    /// Until when the key before it is valid.
    #[schemars(with = "Instant")]
    pub(super) previous_expires_at: String,
}

/// What was stored: the event and its deliveries are on disk.
#[derive(Serialize, JsonSchema)]
pub(super) struct Receipt {
    /// The producer's own id if it gave one, else ours; ours in any case where the dialect takes the producer's for a label.
    #[schemars(example = &"evt_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    /// Grows in the order of commits within the workspace, with gaps.
    #[schemars(example = 17)]
    pub(super) sequence: i64,
    /// Webhooks that get it.
    #[schemars(example = 2)]
    pub(super) deliveries: usize,
}

/// What was stored, in the order of the batch.
#[derive(Serialize, JsonSchema)]
pub(super) struct BatchReceipt {
    #[schemars(example = 1)]
    pub(super) accepted: usize,
    pub(super) events: Vec<Receipt>,
}

/// What was published.
#[derive(Serialize, JsonSchema)]
pub(super) struct Event<'a> {
    #[schemars(example = &"evt_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    /// The producer's own id, only where the dialect takes it for a label: receivers see it, and several events may share it.
    #[schemars(example = &"order-1000")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<&'a str>,
    #[schemars(example = 17)]
    pub(super) sequence: i64,
    #[schemars(example = &"order.paid")]
    pub(super) r#type: &'a str,
    #[schemars(example = &"shop-17")]
    pub(super) subject: Option<&'a str>,
    #[schemars(example = &"customer-17")]
    pub(super) ordering_key: Option<&'a str>,
    #[schemars(with = "Instant")]
    pub(super) time: String,
    #[schemars(with = "Instant")]
    pub(super) accepted_at: String,
    /// Further attributes that the dialect knows, by name.
    #[schemars(example = serde_json::Map::new())]
    pub(super) attributes: Pairs<&'a RawValue>,
    /// As its producer wrote it, byte for byte; null when retention has removed it.
    #[schemars(example = example_data())]
    pub(super) data: &'a RawValue,
    /// Set when retention has removed the payload.
    #[schemars(with = "Option<Instant>")]
    pub(super) payload_removed_at: Option<String>,
    /// Webhooks that got it when it was published.
    #[schemars(example = 2)]
    pub(super) deliveries: usize,
}

/// One event for one webhook.
#[derive(Serialize, JsonSchema)]
pub(super) struct Delivery {
    #[schemars(example = &"dlv_0aB3dE6gH9jK2mN5pQ8sT1")]
    pub(super) id: String,
    #[schemars(example = &"ws_4fT7dK2mQ9xZ1bNc")]
    pub(super) workspace: String,
    #[schemars(example = &"evt_0aB3dE6gH9jK2mN5")]
    pub(super) event: String,
    /// The event's `label`, if it has one.
    #[schemars(example = &"order-1000")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_label: Option<String>,
    #[schemars(example = &"order.paid")]
    pub(super) event_type: String,
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    pub(super) webhook: String,
    #[schemars(extend("enum" = DeliveryStatus::ALL.map(DeliveryStatus::name)))]
    pub(super) status: &'static str,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Option<Instant>")]
    pub(super) next_attempt_at: Option<String>,
    #[schemars(with = "Option<Instant>")]
    pub(super) ended_at: Option<String>,
    /// Why nothing more was sent.
    #[schemars(extend("enum" = dropped_reasons()))]
    pub(super) dropped_reason: Option<&'static str>,
    #[schemars(example = 1)]
    pub(super) attempt_count: u32,
    /// `success`, `status` for an answer that is none of success, else the class of the failure.
    #[schemars(example = &"timeout")]
    pub(super) last_outcome: Option<&'static str>,
}

/// A delivery and all that happened to it.
#[derive(Serialize, JsonSchema)]
pub(super) struct DeliveryWithHistory {
    #[serde(flatten)]
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Step>,
}

/// An attempt, or the moment from which a delivery was sent anew.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Step {
    Attempt(Attempt),
    Requeue { number: u32, at: String, outcome: &'static str },
}

/// One HTTP request to the receiver and what came back.
#[derive(Serialize, JsonSchema)]
pub(super) struct Attempt {
    #[schemars(example = 1)]
    pub(super) number: u32,
    #[schemars(with = "Instant")]
    pub(super) at: String,
    /// `success`, `status` for an answer that is none of success, else the class of the failure.
    #[schemars(extend("enum" = outcomes()))]
    pub(super) outcome: &'static str,
    #[schemars(example = 200)]
    pub(super) http_status: Option<u16>,
    /// Class of the failure, `status` for an answer that is none of success; null on success.
    pub(super) error: Option<&'static str>,
    /// More about a failure, for a person.
    #[schemars(example = &"the receiver did not answer within 15 s")]
    pub(super) message: Option<String>,
    #[schemars(with = "Option<Instant>")]
    pub(super) next_attempt_at: Option<String>,
    pub(super) timing_ms: Timing,
    /// As they were sent, credentials masked.
    pub(super) request_headers: Pairs<String>,
    /// The beginning of the answer's body; what is not UTF-8 in it is replaced.
    pub(super) response_body: String,
}

/// Where the time went, in milliseconds.
#[derive(Serialize, JsonSchema)]
pub(super) struct Timing {
    /// Finding the address.
    #[schemars(example = 1.5)]
    pub(super) dns: f64,
    /// Opening the connection; 0 when one was at hand.
    #[schemars(example = 1.5)]
    pub(super) connect: f64,
    /// The TLS handshake.
    #[schemars(example = 1.5)]
    pub(super) tls: f64,
    /// From the request to the first byte of the answer.
    #[schemars(example = 1.5)]
    pub(super) first_byte: f64,
    /// All of it.
    #[schemars(example = 1.5)]
    pub(super) total: f64,
}

/// A delivery that is on its way again.
#[derive(Serialize, JsonSchema)]
pub(super) struct Redelivery {
    #[schemars(example = &"dlv_0aB3dE6gH9jK2mN5pQ8sT1")]
    pub(super) id: String,
    #[schemars(example = &"pending")]
    pub(super) status: &'static str,
}

/// What an attempt can come to, as [`signalpost_core::attempt::Outcome::name`] says it.
fn outcomes() -> Vec<&'static str> {
    ["success", "status"].into_iter().chain(Failure::ALL.map(Failure::name)).collect()
}

fn dropped_reasons() -> Vec<Option<&'static str>> {
    CutReason::ALL.into_iter().map(|reason| Some(reason.name())).chain([None]).collect()
}

fn example_data() -> serde_json::Value {
    serde_json::json!({"order": 1000})
}

/// Names and values as a JSON object, in their order.
pub(super) struct Pairs<V>(pub(super) Vec<(String, V)>);

impl<V: Serialize> Serialize for Pairs<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<V: JsonSchema> JsonSchema for Pairs<V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}ByName", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<V>()})
    }
}
