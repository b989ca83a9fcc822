//! The vendor's JSON, field for field and in the documented order.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) const URL: &str = "url";
pub(super) const EVENT_TYPES: &str = "eventTypes";
pub(super) const STATUS: &str = "status";
pub(super) const DELIVERY_ID: &str = "deliveryId";
pub(super) const CURSOR: &str = "cursor";
pub(super) const LIMIT: &str = "limit";
pub(super) const ACTIVE: &str = "ACTIVE";
pub(super) const DISABLED: &str = "DISABLED";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) event_types: Vec<String>,
    pub(super) status: &'static str,
    pub(super) created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consecutive_failures: Option<u32>,
    pub(super) disabled_at: Option<String>,
    pub(super) disabled_reason: Option<&'static str>,
}

/// One value under a name that the instance chooses.
pub(super) struct Named<'a, T>(pub(super) &'a str, pub(super) T);

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &self.1)?;
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct Created<'a> {
    #[serde(flatten)]
    pub(super) webhook: Named<'a, Webhook>,
    pub(super) secret: &'a str,
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct Deleted<'a> {
    #[serde(flatten)]
    pub(super) webhook: Named<'a, Webhook>,
    pub(super) deleted: bool,
}

#[derive(Serialize)]
pub(super) struct Redelivered<'a> {
    #[serde(flatten)]
    pub(super) webhook: Named<'a, Webhook>,
    pub(super) requeued: u64,
    pub(super) message: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Updates {
    /// Records, as a delivery carries them.
    pub(super) events: Vec<Box<RawValue>>,
    pub(super) next_cursor: String,
    pub(super) has_more: bool,
}

#[derive(Serialize)]
pub(super) struct Capabilities {
    pub(super) capabilities: Capability,
}

#[derive(Serialize)]
pub(super) struct Capability {
    pub(super) webhooks: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Error<'a> {
    pub(super) error: &'a str,
    pub(super) code: &'a str,
    pub(super) request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<&'a Value>,
}
