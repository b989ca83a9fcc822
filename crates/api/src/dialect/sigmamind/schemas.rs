//! JSON Schemas of this surface's requests, with an instance's values.

use serde_json::{Value, json};
use signalpost_core::limits::{URL_CHARS_MAX, WEBHOOK_EVENTS_MAX};

use super::{Instance, wire};
use crate::kit::schema::{about, object};

pub(super) fn new(instance: &Instance) -> Value {
    let required = [wire::NAME, wire::AGENT_ID, wire::URL, wire::EVENTS];
    let properties = [
        (wire::NAME, name(instance)),
        (wire::AGENT_ID, about("Only events of this agent are sent.", agent_id(instance))),
        (wire::URL, url()),
        (wire::EVENTS, events(instance)),
    ];
    object(&required, &properties)
}

pub(super) fn change(instance: &Instance) -> Value {
    let properties = [
        (wire::NAME, name(instance)),
        (wire::URL, url()),
        (wire::EVENTS, events(instance)),
        (wire::ACTIVE, json!({"type": "boolean"})),
    ];
    let mut schema = object(&[], &properties);
    schema["minProperties"] = json!(1);
    schema
}

pub(super) fn example(instance: &Instance) -> Value {
    json!({
        wire::NAME: "Call Events - Production",
        wire::AGENT_ID: "D5D0p7TUs66TTAEAx",
        wire::URL: "https://example.com/webhooks",
        wire::EVENTS: instance.events.iter().take(2).collect::<Vec<_>>(),
    })
}

fn name(instance: &Instance) -> Value {
    let chars_max = instance.name_chars_max;
    json!({"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": "^[^\\u0000]*$"})
}

pub(super) fn agent_id(instance: &Instance) -> Value {
    let pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
    json!({"type": "string", "minLength": 1, "maxLength": instance.agent_id_chars_max, "pattern": pattern})
}

/// The documented pattern; what it lets through must also be a URL with a host.
fn url() -> Value {
    json!({"type": "string", "format": "uri", "pattern": "^https?://.+", "maxLength": URL_CHARS_MAX})
}

fn events(instance: &Instance) -> Value {
    let items = json!({"type": "string", "enum": instance.events});
    json!({"type": "array", "items": items, "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX})
}
