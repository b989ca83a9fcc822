//! Reading the fields of bodies, by the vendor's names and rules.

use signalpost_core::limits::WEBHOOK_EVENTS_MAX;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::EventSelection;
use signalpost_core::workspace::check_name;

use super::{Instance, wire};
use crate::kit::fields::{Fields, Member, without_repetitions};

const REQUIRED: &str = "is required";

pub(super) fn name(fields: &mut Fields<'_>, instance: &Instance) -> Member<String> {
    let member = fields.text(wire::NAME);
    checked(fields, wire::NAME, member, |name| {
        check_length(name, instance.name_chars_max).and(check_name(name))
    })
}

pub(super) fn agent_id(fields: &mut Fields<'_>, instance: &Instance) -> Member<String> {
    let member = fields.text(wire::AGENT_ID);
    checked(fields, wire::AGENT_ID, member, |agent_id| check_agent_id(agent_id, instance))
}

pub(super) fn check_agent_id(agent_id: &str, instance: &Instance) -> Result<(), String> {
    check_length(agent_id, instance.agent_id_chars_max)?;
    if agent_id.chars().any(char::is_control) {
        Err("must not contain control characters".to_owned())
    } else {
        Ok(())
    }
}

/// The documented pattern is `https?://.+`; what it lets through must be a URL as well.
pub(super) fn url(fields: &mut Fields<'_>) -> Member<TargetUrl> {
    let text = match fields.text(wire::URL) {
        Member::Value(text) => text,
        Member::Absent => return Member::Absent,
        Member::Null => return Member::Null,
        Member::Broken => return Member::Broken,
    };
    let by_pattern = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let parsed = match by_pattern {
        Some(rest) if !rest.is_empty() => TargetUrl::parse(&text),
        _ => Err("must match https?://.+".to_owned()),
    };
    fields.check(wire::URL, parsed).map_or(Member::Broken, Member::Value)
}

/// A set: what is given twice stands there once, where it stood first.
pub(super) fn events(fields: &mut Fields<'_>, instance: &Instance) -> Member<EventSelection> {
    let types = match fields.texts(wire::EVENTS, WEBHOOK_EVENTS_MAX) {
        Member::Value(types) => without_repetitions(types),
        Member::Absent => return Member::Absent,
        Member::Null => return Member::Null,
        Member::Broken => return Member::Broken,
    };
    let known = instance.events.join(", ");
    let checked = match types.iter().any(|event_type| !instance.events.contains(event_type)) {
        _ if types.is_empty() => Err("must hold at least one event type".to_owned()),
        true => Err(format!("must hold event types of {known} only")),
        false => Ok(EventSelection::Only(types)),
    };
    fields.check(wire::EVENTS, checked).map_or(Member::Broken, Member::Value)
}

/// The value of a field that a create needs.
pub(super) fn required<T>(fields: &mut Fields<'_>, name: &str, member: Member<T>) -> Option<T> {
    fields.required(name, member, REQUIRED)
}

fn checked(
    fields: &mut Fields<'_>,
    name: &str,
    member: Member<String>,
    rule: impl Fn(&str) -> Result<(), String>,
) -> Member<String> {
    match member {
        Member::Value(text) => match fields.check(name, rule(&text)) {
            Some(()) => Member::Value(text),
            None => Member::Broken,
        },
        other => other,
    }
}

fn check_length(text: &str, chars_max: usize) -> Result<(), String> {
    if (1..=chars_max).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(format!("must be 1 to {chars_max} characters long"))
}
