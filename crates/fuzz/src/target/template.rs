//! Templates of deliveries: whatever an event holds, a JSON template yields JSON, and a text that a configuration brings
//! is a template or is refused.

use std::str::from_utf8;

use bytes::Bytes;
use serde::de::IgnoredAny;
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::template::{Scope, Template, json_string};
use signalpost_core::time::Timestamp;

use crate::Target;
use crate::feed::parts;

const BYTES_MAX: usize = 1_024;

pub(super) fn target() -> Target {
    Target::new("template", "an event's own words cannot break out of a JSON template", BYTES_MAX, |input| {
        let [template, name, data, number] = parts(input);
        if let (Ok(template), Ok(name), Ok(data)) = (from_utf8(template), from_utf8(name), from_utf8(data)) {
            run(template, name, data, number);
        }
    })
}

fn run(template: &str, name: &str, data: &str, number: &[u8]) {
    let quoted = json_string(name);
    assert_eq!(serde_json::from_str::<String>(&quoted).ok().as_deref(), Some(name), "{quoted}");
    let is_json = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
    let data = if is_json(data.as_bytes()) { data } else { "[\"\\\"\"]" };
    let number = number.iter().take(8).fold(0i64, |sum, byte| sum << 8 | i64::from(*byte));
    let (plain, given) = (event("p\"l", "{\"k\":\"v\"}", 7), event(name, data, number));
    if let Ok(template) = Template::text(template) {
        let signed_as = |signature| template.render_text(Scope { signature, ..scope(&given, name) });
        assert!(
            template.needs_signature() || signed_as("one") == signed_as("another"),
            "it says it shows no signature"
        );
    }
    let Ok(template) = Template::json(template) else { return };
    if is_json(&template.render(scope(&plain, "p\"l"))) {
        let rendered = template.render(scope(&given, name));
        assert!(is_json(&rendered), "{}", String::from_utf8_lossy(&rendered));
    }
}

const fn scope<'a>(event: &'a Event, name: &'a str) -> Scope<'a> {
    Scope {
        event,
        workspace: name,
        webhook: name,
        delivery: "dlv_1",
        attempt_at: event.accepted_at,
        body: b"",
        signature: "v1,c2lnbmVk",
    }
}

fn event(name: &str, data: &str, number: i64) -> Event {
    Event {
        id: EventId::from_raw(number & i64::MAX),
        workspace: WorkspaceId::from_raw(1),
        sequence: Sequence(number),
        content: EventContent {
            producer_id: Some(name.to_owned()),
            event_type: name.to_owned(),
            subject: Some(name.to_owned()),
            time: Timestamp::from_ms(number),
            attributes: vec![("a".to_owned(), data.to_owned())],
            data: Bytes::copy_from_slice(data.as_bytes()),
            ordering_key: None,
        },
        targets: Vec::new(),
        accepted_at: Timestamp::from_ms(number),
        payload_removed_at: None,
    }
}
