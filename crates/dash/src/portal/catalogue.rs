//! What there is to receive: every type of event, with what arrives for it, and how to verify that.

use maud::{Markup, html};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::EventId;
use signalpost_core::profile::{IdForm, Profile, SigningRule};
use signalpost_core::template::Scope;
use signalpost_core::time::Timestamp;
use signalpost_engine::View;
use signalpost_engine::test_event::example_attributes;

use super::code::{Language, Verification};
use crate::look::frame::page;
use crate::pages::webhook::test::example_of;
use crate::trouble::Page;
use crate::visit::Visit;
use crate::who::Who;

/// Of an event that was never sent: the same on every look.
const EXAMPLE_AT: Timestamp = Timestamp::from_ms(1_777_975_606_150);
const EXAMPLE_NUMBER: i64 = 1_042;
/// Where there is no catalogue.
const ANY_TYPE: &str = "order.paid";
/// In the place of data of which nothing is said.
const UNKNOWN_DATA: &str = "{}";

pub(super) async fn show(visit: Visit) -> Page {
    let Who::Customer(visitor) = &visit.who else {
        return Err(signalpost_core::error::Error::not_found("page").into());
    };
    let view = &visitor.view;
    let content = html! {
        h1 { "Catalogue" }
        (types(view))
        (verifying(&view.profile))
    };
    let crumbs = visit.paths.to_workspace(view);
    Ok(page(&visit, "Catalogue", &crumbs, &content))
}

/// How to tell a delivery from what somebody else sends to the same address.
fn verifying(profile: &Profile) -> Markup {
    let Some(verification) = Verification::of(&profile.delivery) else { return html! {} };
    let by = match profile.signing {
        SigningRule::OwnSecret => "with the secret of the webhook",
        SigningRule::SharedKeys { .. } => {
            "with the key that the webhook refers to: what a webhook sends that refers to none has no such header"
        }
    };
    html! {
        section {
            h2 #verify { "Verify what you receive" }
            p {
                "Whoever knows the address of a webhook can send something to it. Take for true what carries a signature, in the header "
                code { (profile.delivery.signature.header) } ", that was made " (by) ". These functions tell."
            }
            @for language in Language::ALL {
                details open[language == Language::Python] {
                    summary { (language.name()) }
                    pre.body tabindex="0" aria-label={ "Verification in " (language.name()) } { (verification.written_in(language)) }
                }
            }
        }
    }
}

fn types(view: &View) -> Markup {
    let Some(catalogue) = &view.profile.catalogue else {
        return html! {
            p { "Events of any type may come, with whatever data their sender gives them. These pages show those that have come." }
            (arriving(view, ANY_TYPE, None))
        };
    };
    html! {
        p { "These events may come. A webhook is sent those that it selects." }
        @for kind in catalogue {
            section {
                h2 { code { (kind.name) } }
                (arriving(view, &kind.name, example_of(&kind.data)))
            }
        }
    }
}

/// The body of a delivery, as far as somebody has said what is in it.
fn arriving(view: &View, event_type: &str, data: Option<String>) -> Markup {
    let is_known = data.is_some();
    let body = body(view, event_type, data.unwrap_or_else(|| UNKNOWN_DATA.to_owned()));
    if !is_known && body == UNKNOWN_DATA {
        return html! { p.muted { "The body that arrives is its data alone, as its sender gives it." } };
    }
    html! {
        p.muted {
            "The body that arrives, for example"
            @if !is_known { ", with whatever data its sender gives it" } ":"
        }
        pre.body tabindex="0" aria-label={ "An example of " (event_type) } { (body) }
    }
}

fn body(view: &View, event_type: &str, data: String) -> String {
    let profile = &view.profile;
    let event = Event {
        id: EventId::from_raw(EXAMPLE_NUMBER),
        workspace: view.workspace.id,
        sequence: Sequence(EXAMPLE_NUMBER),
        content: EventContent {
            producer_id: None,
            event_type: event_type.to_owned(),
            subject: Some("example".to_owned()),
            ordering_key: None,
            time: EXAMPLE_AT,
            attributes: example_attributes(profile),
            data: data.into(),
        },
        targets: Vec::new(),
        accepted_at: EXAMPLE_AT,
        payload_removed_at: None,
    };
    let webhook = match &profile.webhook_id {
        IdForm::Random(form) => format!("{}example", form.prefix),
        IdForm::Number => EXAMPLE_NUMBER.to_string(),
    };
    let (workspace, attempt_at) = (view.workspace.public_id.as_str(), EXAMPLE_AT);
    let scope = Scope {
        event: &event,
        workspace,
        webhook: &webhook,
        delivery: "",
        attempt_at,
        body: b"",
        signature: "",
    };
    indented(&profile.body_of(&event).render_text(scope))
}

/// The same JSON with a member to a line.
fn indented(json: &str) -> String {
    let (mut out, mut depth) = (String::with_capacity(2 * json.len()), 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for c in json.chars() {
        if in_text {
            in_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            out.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                depth += 1;
                out.push(c);
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out.truncate(out.trim_end().len());
                if !out.ends_with(['{', '[']) {
                    break_line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_a_line() {
        let compact = r#"{"a":1,"b":{ },"c":[{"d":"x, \"{y\\"},[]],"e":null}"#;
        let lines = "{\n  \"a\": 1,\n  \"b\": {},\n  \"c\": [\n    {\n      \"d\": \"x, \\\"{y\\\\\"\n    },\n    []\n  ],\n  \"e\": null\n}";
        assert_eq!(indented(compact), lines);
        assert_eq!(indented(lines), lines);
    }
}
