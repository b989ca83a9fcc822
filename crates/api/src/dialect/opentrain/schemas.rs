//! JSON Schemas of this surface, with an instance's names and values.

use serde_json::{Value, json};
use signalpost_core::limits::{URL_CHARS_MAX, WEBHOOK_EVENTS_MAX};

use super::{Instance, profile, wire};
use crate::kit::schema::{about, object};

const INSTANT: &str = "2026-06-12T10:00:00.000Z";

/// A webhook, in a member with the name that answers have for it, and the members beside it.
pub(super) fn around_webhook(instance: &Instance, beside: &[(&str, Value)]) -> Value {
    let mut members = vec![(instance.object.as_str(), webhook(instance))];
    members.extend(beside.iter().map(|(name, schema)| (*name, schema.clone())));
    whole(&members)
}

pub(super) fn webhooks(instance: &Instance) -> Value {
    whole(&[(&instance.objects, json!({"type": "array", "items": webhook(instance)}))])
}

fn webhook(instance: &Instance) -> Value {
    let mut members = vec![
        ("id", json!({"type": "string", "examples": [webhook_id(instance)]})),
        (wire::URL, json!({"type": "string", "examples": ["https://example.com/hooks"]})),
        (wire::EVENT_TYPES, json!({"type": "array", "items": event_type(instance)})),
        (wire::STATUS, status()),
        ("createdAt", instant()),
    ];
    if instance.shows_failures {
        let failures = json!({"type": "integer", "minimum": 0});
        members.push(("consecutiveFailures", about("Failed attempts since the last success.", failures)));
    }
    let at = json!({"type": ["string", "null"], "format": "date-time", "examples": [null]});
    let reasons = json!({"enum": [profile::FAILING, profile::BY_OWNER, null], "examples": [null]});
    members.push(("disabledAt", at));
    members.push(("disabledReason", reasons));
    whole(&members)
}

pub(super) fn new_webhook(instance: &Instance) -> Value {
    object(&[wire::URL, wire::EVENT_TYPES], &[(wire::URL, url()), (wire::EVENT_TYPES, event_types(instance))])
}

pub(super) fn change(instance: &Instance) -> Value {
    let members = [
        (wire::URL, url()),
        (wire::EVENT_TYPES, event_types(instance)),
        (wire::STATUS, about("`DISABLED` pauses, `ACTIVE` goes on.", status())),
    ];
    object(&[], &members)
}

pub(super) fn redelivery() -> Value {
    let id = about("One delivery; every failed one of the endpoint without it.", json!({"type": "string"}));
    object(&[], &[(wire::DELIVERY_ID, id)])
}

pub(super) fn secret() -> Value {
    let pattern = "^whsec_[0-9a-f]{64}$";
    let example = format!("whsec_{}", "3f".repeat(32));
    about("Only returned once.", json!({"type": "string", "pattern": pattern, "examples": [example]}))
}

pub(super) fn message(example: &str) -> Value {
    json!({"type": "string", "examples": [example]})
}

pub(super) fn updates(instance: &Instance) -> Value {
    let cursor = json!({"type": "string", "examples": ["1042"]});
    whole(&[
        ("events", json!({"type": "array", "items": record(instance)})),
        ("nextCursor", about("For the next call.", cursor)),
        ("hasMore", json!({"type": "boolean", "examples": [false]})),
    ])
}

/// An event as the feed and every delivery carry it.
fn record(instance: &Instance) -> Value {
    whole(&[
        ("id", json!({"type": "string", "pattern": "^[0-9]+$", "examples": ["1042"]})),
        ("type", event_type(instance)),
        ("apiVersion", json!({"const": "v1"})),
        ("createdAt", instant()),
        ("resourceId", json!({"type": "string", "examples": ["prop_1"]})),
        ("jobId", json!({"type": ["string", "null"], "examples": ["job_1"]})),
        ("data", json!({"type": "object", "examples": [{"jobId": "job_1"}]})),
    ])
}

pub(super) fn capabilities() -> Value {
    whole(&[("capabilities", whole(&[("webhooks", json!({"type": "boolean", "examples": [true]}))]))])
}

pub(super) fn error() -> Value {
    let codes = [
        "BAD_REQUEST",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "NOT_FOUND",
        "CONFLICT",
        "RATE_LIMITED",
        "INTERNAL_ERROR",
    ];
    let details = json!({"type": "object", "examples": [{"field": wire::URL}]});
    let members = [
        ("error", json!({"type": "string", "examples": ["url: must name a host"]})),
        ("code", json!({"type": "string", "enum": codes})),
        (
            "requestId",
            json!({"type": "string", "format": "uuid", "examples": ["01977b3c-5e10-8000-8000-00000000002a"]}),
        ),
        ("details", about("What the error is about, where there is more to say.", details)),
    ];
    object(&["error", "code", "requestId"], &members)
}

/// An object with all of these members.
fn whole(members: &[(&str, Value)]) -> Value {
    object(&members.iter().map(|(name, _)| *name).collect::<Vec<_>>(), members)
}

/// What the pattern lets through must be a URL with a host as well, and `https` but for this machine.
fn url() -> Value {
    json!({"type": "string", "format": "uri", "pattern": "^https?://.+", "maxLength": URL_CHARS_MAX})
}

fn event_types(instance: &Instance) -> Value {
    json!({"type": "array", "items": event_type(instance), "minItems": 1, "maxItems": WEBHOOK_EVENTS_MAX})
}

fn event_type(instance: &Instance) -> Value {
    let names: Vec<&str> = instance.events.iter().map(|event_type| event_type.name.as_str()).collect();
    json!({"type": "string", "enum": names})
}

fn status() -> Value {
    json!({"type": "string", "enum": [wire::ACTIVE, wire::DISABLED]})
}

fn instant() -> Value {
    json!({"type": "string", "format": "date-time", "examples": [INSTANT]})
}

pub(super) fn webhook_id(instance: &Instance) -> String {
    format!("{}BUbkx3PsbzQm5V10", instance.webhook_id_prefix)
}
