//! The vendor's JSON, field for field and in the documented order.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::kit::schema::Instant;

pub(super) const NAME: &str = "name";
pub(super) const AGENT_ID: &str = "agentId";
pub(super) const URL: &str = "url";
pub(super) const EVENTS: &str = "events";
pub(super) const ACTIVE: &str = "active";
pub(super) const PAGE: &str = "page";
pub(super) const SIZE: &str = "size";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    #[schemars(example = &"org_BUbkx3PsbzQm5V10")]
    pub(super) workspace_id: String,
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    pub(super) webhook_id: String,
    #[schemars(example = &"Call Events - Production")]
    pub(super) name: String,
    #[schemars(example = &"D5D0p7TUs66TTAEAx")]
    pub(super) agent_id: String,
    /// Whether events are sent.
    pub(super) active: bool,
    /// Only returned once, in the answer to a create.
    #[schemars(example = &"mK9vXq2pL8nR5tY1wA3sD6fH0jC4bE7u")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    pub(super) events: Vec<String>,
    #[schemars(example = &"https://example.com/webhooks")]
    pub(super) url: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookPage {
    pub(super) data: Vec<Webhook>,
    #[schemars(example = 0)]
    pub(super) page: u32,
    #[schemars(example = 10)]
    pub(super) size: u32,
    #[schemars(example = 1)]
    pub(super) total_count: u64,
    #[schemars(example = 1)]
    pub(super) total_pages: u64,
    #[schemars(example = false)]
    pub(super) has_next: bool,
    #[schemars(example = false)]
    pub(super) has_previous: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Error<'a> {
    #[schemars(with = "Instant")]
    pub(super) timestamp: String,
    #[schemars(example = 404)]
    pub(super) status: u16,
    #[schemars(example = &"Not Found")]
    pub(super) error: &'a str,
    #[schemars(example = &"The requested resource was not found")]
    pub(super) message: &'a str,
    /// The path of the request.
    #[schemars(example = &"/v1/webhooks/wh_BUbkx3PsbzQm5V10")]
    pub(super) path: &'a str,
    /// One message for each field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_errors: Option<ValidationErrors>,
}

/// Field to message, in the order in which they were found.
pub(super) struct ValidationErrors(pub(super) Vec<(String, String)>);

impl Serialize for ValidationErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, message) in &self.0 {
            map.serialize_entry(field, message)?;
        }
        map.end()
    }
}

impl JsonSchema for ValidationErrors {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ValidationErrors".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {"type": "string"}, "examples": [{"name": "name is required"}]})
    }
}
