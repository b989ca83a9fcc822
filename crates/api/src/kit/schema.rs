//! JSON Schemas (draft 2020-12, as OpenAPI 3.1 uses it) of what callers send. Every bound is the one of
//! `core::limits` that the code enforces, so that a client knows beforehand what is accepted.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use signalpost_core::health::ReleaseOrder;
use signalpost_core::limits::{
    ATTEMPT_TIMEOUT_MAX, ATTEMPT_TIMEOUT_MIN, EVENT_ID_CHARS_MAX, EVENT_TYPE_CHARS_MAX, FILTER_CHARS_MAX,
    NAME_CHARS_MAX, ORDERING_KEY_CHARS_MAX, RETRY_DELAY_MAX, RETRY_DELAYS_MAX, SUBJECT_CHARS_MAX,
    URL_CHARS_MAX,
};

/// An object with these members and no others.
pub(crate) fn object(required: &[&str], properties: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The same, or null.
pub(crate) fn or_null(mut schema: Value) -> Value {
    if let Some(Value::String(name)) = schema.get("type").cloned() {
        schema["type"] = json!([name, "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    schema
}

/// The same with an explanation, and null where the schema is `or_null`.
pub(crate) fn about(text: &str, mut schema: Value) -> Value {
    schema["description"] = json!(text);
    schema
}

/// Name of a workspace, webhook or credential (`core::workspace::check_name`).
pub(crate) fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX, "pattern": "^[^\\u0000]*$"})
}

/// `core::event::check_event_type`.
pub(crate) fn event_type() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": EVENT_TYPE_CHARS_MAX, "pattern": "^[A-Za-z0-9._:/-]+$",
        "examples": ["order.paid"]
    })
}

/// `core::matching::check_pattern`.
pub(crate) fn event_pattern() -> Value {
    json!({
        "type": "string", "minLength": 3, "maxLength": EVENT_TYPE_CHARS_MAX + 2,
        "pattern": "^[A-Za-z0-9._:/-]+\\.\\*$", "examples": ["order.*"]
    })
}

/// `core::event::check_producer_id`.
pub(crate) fn producer_id() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": EVENT_ID_CHARS_MAX, "pattern": "^[A-Za-z0-9_:/+=~@-]+$",
        "examples": ["order-1000-paid"]
    })
}

/// `core::event::check_ordering_key`.
pub(crate) fn ordering_key() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": ORDERING_KEY_CHARS_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", "examples": ["customer-17"]
    })
}

/// `core::event::check_subject`.
pub(crate) fn subject() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": SUBJECT_CHARS_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", "examples": ["shop-17"]
    })
}

/// What `signalpost_filter` compiles; the schema knows its length alone.
pub(crate) fn filter() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": FILTER_CHARS_MAX, "pattern": "^[^\\u0000]*$",
        "examples": ["data.amount > 100"]
    })
}

/// `core::target_url`: what the pattern lets through must be a URL by the WHATWG rules as well.
pub(crate) fn target_url() -> Value {
    json!({
        "type": "string", "format": "uri", "maxLength": URL_CHARS_MAX,
        "pattern": "^[hH][tT][tT][pP][sS]?://[^\\s\\\\@/?#][^\\s\\\\]*$", "examples": ["https://example.com/hooks"]
    })
}

/// `kit::instant`.
pub(crate) fn instant() -> Value {
    json!({"type": "string", "format": "date-time", "examples": ["2026-05-05T10:06:46.150Z"]})
}

/// Delays between attempts (`core::policy::RetrySchedule`).
pub(crate) fn retry_schedule_s() -> Value {
    json!({
        "type": "array", "maxItems": RETRY_DELAYS_MAX, "examples": [[5, 300, 1800]],
        "items": {"type": "integer", "minimum": 0, "maximum": RETRY_DELAY_MAX.as_secs()}
    })
}

/// How long one attempt may take (`core::policy::check_timeout_ms`).
pub(crate) fn release_order() -> Value {
    json!({"type": "string", "enum": ReleaseOrder::ALL.map(ReleaseOrder::name)})
}

pub(crate) fn timeout_ms() -> Value {
    let (min, max) = (ATTEMPT_TIMEOUT_MIN.as_millis(), ATTEMPT_TIMEOUT_MAX.as_millis());
    json!({"type": "integer", "minimum": min, "maximum": max, "examples": [15_000]})
}

/// Stands in wire types for an instant that is kept as text.
pub(crate) struct Instant;

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "examples": ["2026-05-05T10:06:46.150Z"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_lite::Regex;
    use signalpost_core::event::{check_event_type, check_ordering_key, check_producer_id, check_subject};
    use signalpost_core::matching::check_pattern;
    use signalpost_core::target_url::TargetUrl;
    use signalpost_core::workspace::check_name;

    /// A rule of core, and whether a schema's length and pattern agree with it on texts of every kind.
    fn agree(schema: &Value, rule: impl Fn(&str) -> bool) {
        let pattern = schema["pattern"].as_str().expect("a pattern").replace("\\u00", "\\x");
        let pattern = Regex::new(&pattern).expect("a good pattern");
        let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
        let (min, max) = (bound("minLength").unwrap_or(0), bound("maxLength").expect("a bound"));
        let mut texts: Vec<String> = [
            "",
            "a",
            "a.b",
            "a.*",
            "a*",
            "a b",
            "A_b:c/d-e",
            "a+b=c~d@e",
            "é",
            "🧀",
            "a\0",
            "a\nb",
            "\u{85}",
            ",",
        ]
        .map(str::to_owned)
        .into();
        texts.extend(
            ["https://a", "HTTP://a.example/x?y#z", "https://", "https:///a", "ftp://a", "https://a b"]
                .map(str::to_owned),
        );
        texts.extend(["https://a\\b", "https://@a", "//a"].map(str::to_owned));
        texts.extend([max, max + 1].map(|length| "x".repeat(length)));
        texts.extend([max, max + 1].map(|length| format!("https://{}", "x".repeat(length - 8))));
        for text in texts {
            let length = text.chars().count();
            let by_schema = (min..=max).contains(&length) && pattern.is_match(&text);
            assert_eq!(by_schema, rule(&text), "{text:?} by {schema}");
        }
    }

    #[test]
    fn schemas_say_what_the_rules_of_core_do() {
        agree(&name(), |text| check_name(text).is_ok());
        agree(&event_type(), |text| check_event_type(text).is_ok());
        agree(&event_pattern(), |text| check_pattern(text).is_ok());
        agree(&producer_id(), |text| check_producer_id(text).is_ok());
        agree(&ordering_key(), |text| check_ordering_key(text).is_ok());
        agree(&subject(), |text| check_subject(text).is_ok());
    }

    /// Not the same: a host can be wrong in more ways than a pattern can say.
    #[test]
    fn no_target_that_is_permitted_is_against_its_schema() {
        let schema = target_url();
        let pattern = Regex::new(schema["pattern"].as_str().expect("a pattern")).expect("a good pattern");
        for text in ["https://a", "HTTP://a.example/x?y#z", "http://[::1]:81/", "https://bücher.example/@"] {
            assert!(TargetUrl::parse(text).is_ok() && pattern.is_match(text), "{text}");
        }
        for text in ["https://", "https:///a", "ftp://a", "https://a b", "https://a\\b", "https://@a", "//a"]
        {
            assert!(TargetUrl::parse(text).is_err() && !pattern.is_match(text), "{text}");
        }
    }
}
