//! Whether the values of an instance can work. Each error is a sentence that begins with the field's name.

use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT};
use signalpost_core::event::check_event_type;
use signalpost_core::limits::{NAME_CHARS_MAX, PAGE_ROWS_MAX, SUBJECT_CHARS_MAX, WEBHOOK_EVENTS_MAX};

use super::Instance;

/// Headers with a meaning of their own in every request.
const TAKEN_HEADERS: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT];
/// Public ids stay short enough for a path and a log line.
const PREFIX_CHARS_MAX: usize = 16;

pub(super) fn check(instance: &Instance) -> Result<(), String> {
    check_events(instance)?;
    check_sizes(instance)
}

/// The name as headers are kept: in lower case.
pub(super) fn header_name(field: &str, name: &str) -> Result<HeaderName, String> {
    let parsed: Result<HeaderName, _> = name.parse();
    let parsed = parsed.map_err(|_| format!("{field}: `{name}` is not the name of a header"))?;
    if TAKEN_HEADERS.contains(&parsed) {
        return Err(format!("{field}: `{name}` has a meaning of its own"));
    }
    Ok(parsed)
}

fn check_events(instance: &Instance) -> Result<(), String> {
    if instance.events.is_empty() || instance.events.len() > WEBHOOK_EVENTS_MAX {
        return Err(format!("events: must be 1 to {WEBHOOK_EVENTS_MAX} types"));
    }
    for (position, event_type) in instance.events.iter().enumerate() {
        if instance.events[..position].contains(event_type) {
            return Err(format!("events: `{event_type}` stands twice"));
        }
        check_event_type(event_type).map_err(|problem| format!("events: `{event_type}` {problem}"))?;
    }
    Ok(())
}

fn check_sizes(instance: &Instance) -> Result<(), String> {
    in_range("name_chars_max", instance.name_chars_max, NAME_CHARS_MAX)?;
    in_range("agent_id_chars_max", instance.agent_id_chars_max, SUBJECT_CHARS_MAX)?;
    in_range("page_rows_max", instance.page_rows_max as usize, PAGE_ROWS_MAX)?;
    if !(1..=instance.page_rows_max).contains(&instance.page_rows_default) {
        return Err(format!(
            "page_rows_default: must be from 1 to page_rows_max, {}",
            instance.page_rows_max
        ));
    }
    if instance.disable_after_failures == Some(0) {
        return Err("disable_after_failures: must be at least 1".to_owned());
    }
    check_prefix("workspace_id_prefix", &instance.workspace_id_prefix)?;
    check_prefix("webhook_id_prefix", &instance.webhook_id_prefix)?;
    check_prefix("api_key_prefix", &instance.api_key_prefix)
}

fn in_range(field: &str, value: usize, max: usize) -> Result<(), String> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(format!("{field}: must be from 1 to {max}")) }
}

fn check_prefix(field: &str, prefix: &str) -> Result<(), String> {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if prefix.len() <= PREFIX_CHARS_MAX && prefix.bytes().all(permitted) {
        return Ok(());
    }
    Err(format!("{field}: at most {PREFIX_CHARS_MAX} letters, digits, `-` and `_`"))
}
