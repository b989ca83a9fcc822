//! What several shapes let a platform change means the same in all of them, and is judged here. Each error is a sentence
//! that begins with the value's name and a colon.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use signalpost_core::event::check_event_type;
use signalpost_core::health::{DisableRule, ReleaseOrder};
use signalpost_core::limits::WEBHOOK_EVENTS_MAX;
use signalpost_core::policy::{DeliveryPolicy, RetrySchedule, check_timeout_ms};
use signalpost_core::template::Template;

/// Public ids stay short enough for a path and a log line.
const PREFIX_CHARS_MAX: usize = 16;

/// `events`: the names of a catalogue.
pub(super) fn check_events(names: &[&str]) -> Result<(), String> {
    if names.is_empty() || names.len() > WEBHOOK_EVENTS_MAX {
        return Err(format!("events: must be 1 to {WEBHOOK_EVENTS_MAX} types"));
    }
    without_repetition("events", names)?;
    names
        .iter()
        .try_for_each(|name| check_event_type(name).map_err(|problem| format!("events: `{name}` {problem}")))
}

pub(super) fn without_repetition(field: &str, words: &[&str]) -> Result<(), String> {
    let repeated = words.iter().enumerate().find(|(place, word)| words[..*place].contains(word));
    repeated.map_or(Ok(()), |(_, word)| Err(format!("{field}: `{word}` stands twice")))
}

pub(super) fn in_range(field: &str, value: usize, max: usize) -> Result<(), String> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(format!("{field}: must be from 1 to {max}")) }
}

/// What public ids begin with.
pub(super) fn check_prefix(field: &str, prefix: &str) -> Result<(), String> {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if prefix.len() <= PREFIX_CHARS_MAX && prefix.bytes().all(permitted) {
        return Ok(());
    }
    Err(format!("{field}: at most {PREFIX_CHARS_MAX} letters, digits, `-` and `_`"))
}

/// `header_prefix`: the name of one of a brand's own headers, as headers are kept: in lower case.
pub(super) fn own_header(header_prefix: &str, end: &str) -> Result<HeaderName, String> {
    let name: Result<HeaderName, _> = format!("{header_prefix}{end}").parse();
    name.ok().filter(|_| !header_prefix.is_empty()).ok_or_else(|| {
        format!("header_prefix: `{header_prefix}` is not the beginning of a header's name, such as `X-Acme-`")
    })
}

/// `user_agent`, which may be a template, and the content type, as every delivery has them.
pub(super) fn common_headers(user_agent: &str) -> Result<Vec<(Arc<str>, Template)>, String> {
    if user_agent.is_empty() || HeaderValue::from_str(user_agent).is_err() {
        return Err("user_agent: cannot stand in a header".to_owned());
    }
    let content_type = Template::text("application/json").expect("a text without a placeholder");
    let user_agent = Template::text(user_agent).map_err(|problem| format!("user_agent: {problem}"))?;
    Ok(vec![("content-type".into(), content_type), ("user-agent".into(), user_agent)])
}

/// `retry_schedule_s`, `timeout_ms` and `disable_after_failures`, which is never for `None`.
pub(super) fn policy(
    retry_schedule_s: &[u64],
    timeout_ms: u64,
    disable_after_failures: Option<u32>,
) -> Result<DeliveryPolicy, String> {
    if disable_after_failures == Some(0) {
        return Err("disable_after_failures: must be at least 1".to_owned());
    }
    let retry = RetrySchedule::from_seconds(retry_schedule_s);
    let timeout = check_timeout_ms(timeout_ms);
    Ok(DeliveryPolicy {
        retry: retry.map_err(|problem| format!("retry_schedule_s: {problem}"))?,
        timeout: timeout.map_err(|problem| format!("timeout_ms: {problem}"))?,
        disable: DisableRule { consecutive_failures: disable_after_failures, on_gone: false },
        // A contract knows of none.
        hold: None,
        release: ReleaseOrder::OldestFirst,
    })
}
