//! The vendor's JSON, field for field and in the documented order.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub(super) const NAME: &str = "name";
pub(super) const AGENT_ID: &str = "agentId";
pub(super) const URL: &str = "url";
pub(super) const EVENTS: &str = "events";
pub(super) const ACTIVE: &str = "active";
pub(super) const PAGE: &str = "page";
pub(super) const SIZE: &str = "size";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    pub(super) workspace_id: String,
    pub(super) webhook_id: String,
    pub(super) name: String,
    pub(super) agent_id: String,
    pub(super) active: bool,
    /// In the answer to a create and nowhere else; there it is left out, not null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    pub(super) events: Vec<String>,
    pub(super) url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookPage {
    pub(super) data: Vec<Webhook>,
    pub(super) page: u32,
    pub(super) size: u32,
    pub(super) total_count: u64,
    pub(super) total_pages: u64,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Error<'a> {
    pub(super) timestamp: String,
    pub(super) status: u16,
    pub(super) error: &'a str,
    pub(super) message: &'a str,
    pub(super) path: &'a str,
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
