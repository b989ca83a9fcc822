//! The JSON of this surface's answers, field for field.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

#[derive(Serialize)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) dialect: String,
    pub(super) name: String,
    pub(super) features: Vec<String>,
    /// What is in force; null when this process does not serve the workspace's dialect.
    pub(super) policy: Option<Policy>,
    pub(super) created_at: String,
}

#[derive(Serialize)]
pub(super) struct Policy {
    pub(super) retry_schedule_s: Vec<u64>,
    pub(super) timeout_ms: u128,
}

#[derive(Serialize)]
pub(super) struct Credential {
    pub(super) id: String,
    /// Only when it was just issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    pub(super) name: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) preview: String,
    pub(super) created_at: String,
    pub(super) expires_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Receipt {
    pub(super) id: String,
    pub(super) sequence: i64,
    pub(super) deliveries: usize,
}

#[derive(Serialize)]
pub(super) struct BatchReceipt {
    pub(super) accepted: usize,
    pub(super) events: Vec<Receipt>,
}

#[derive(Serialize)]
pub(super) struct Event<'a> {
    pub(super) id: String,
    pub(super) sequence: i64,
    pub(super) r#type: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) time: String,
    pub(super) accepted_at: String,
    pub(super) attributes: Pairs<&'a RawValue>,
    pub(super) data: &'a RawValue,
    pub(super) deliveries: usize,
}

#[derive(Serialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    /// Only when it was just issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    pub(super) url: String,
    pub(super) events: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: &'static str,
    pub(super) disabled_at: Option<String>,
    pub(super) disabled_reason: Option<&'static str>,
    pub(super) consecutive_failures: u32,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

#[derive(Serialize)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) workspace: String,
    pub(super) event: String,
    pub(super) event_type: String,
    pub(super) webhook: String,
    pub(super) status: &'static str,
    pub(super) created_at: String,
    pub(super) next_attempt_at: Option<String>,
    pub(super) ended_at: Option<String>,
    pub(super) dropped_reason: Option<&'static str>,
    pub(super) attempt_count: u32,
    pub(super) last_outcome: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct DeliveryWithHistory {
    #[serde(flatten)]
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Step>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Step {
    Attempt(Attempt),
    Requeue { number: u32, at: String, outcome: &'static str },
}

#[derive(Serialize)]
pub(super) struct Attempt {
    pub(super) number: u32,
    pub(super) at: String,
    pub(super) outcome: &'static str,
    pub(super) http_status: Option<u16>,
    /// Class of the failure, `status` for an answer that is none of success; null on success.
    pub(super) error: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) next_attempt_at: Option<String>,
    pub(super) timing_ms: Timing,
    pub(super) request_headers: Pairs<String>,
    /// The beginning of the answer's body; what is not UTF-8 in it is replaced.
    pub(super) response_body: String,
}

#[derive(Serialize)]
pub(super) struct Timing {
    pub(super) dns: f64,
    pub(super) connect: f64,
    pub(super) tls: f64,
    pub(super) first_byte: f64,
    pub(super) total: f64,
}

#[derive(Serialize)]
pub(super) struct Redelivery {
    pub(super) id: String,
    pub(super) status: &'static str,
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
