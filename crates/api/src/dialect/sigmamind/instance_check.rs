//! Whether the values of an instance can work. Each error is a sentence that begins with the field's name.

use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT};
use signalpost_core::limits::{NAME_CHARS_MAX, PAGE_ROWS_MAX, SUBJECT_CHARS_MAX};

use super::Instance;
use crate::dialect::brand::{check_events, check_prefix, in_range};

/// Headers with a meaning of their own in every request.
const TAKEN_HEADERS: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, USER_AGENT];
pub(super) fn check(instance: &Instance) -> Result<(), String> {
    let events: Vec<&str> = instance.events.iter().map(String::as_str).collect();
    check_events(&events)?;
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
    check_prefix("workspace_id_prefix", &instance.workspace_id_prefix)?;
    check_prefix("webhook_id_prefix", &instance.webhook_id_prefix)?;
    check_prefix("api_key_prefix", &instance.api_key_prefix)
}
