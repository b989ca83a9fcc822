//! The filter as a form, with what is wrong with it.

use maud::{Markup, html};
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::FieldError;

use super::filter::Asked;
use crate::look::when;

/// Fields with their labels, but for the first, which is chosen from a list.
const FIELDS: [(&str, &str); 6] = [
    ("type", "Type"),
    ("webhook", "Webhook"),
    ("event", "Event"),
    ("answer", "Last answer"),
    ("since", "Accepted since"),
    ("until", "and before"),
];

/// Of an instant to the second, with room for the arrow of the list.
const INSTANT_CHARS: usize = 24;

pub(super) fn form(own: &str, asked: &Asked, errors: &[FieldError]) -> Markup {
    html! {
        (elsewhere(errors))
        form.line action=(own) {
            label { "Status "
                select name="status" {
                    option value="" { "any" }
                    @for status in DeliveryStatus::ALL {
                        option value=(status.name()) selected[status.name() == asked.status] { (status.name()) }
                    }
                }
            }
            (below("status", errors))
            @for (name, label) in FIELDS { (text(name, label, asked, errors)) }
            button.quiet { "Filter" }
        }
        (when::ages())
    }
}

fn text(name: &str, label: &str, asked: &Asked, errors: &[FieldError]) -> Markup {
    let (value, placeholder, list) = match name {
        "type" => (&asked.r#type, None, None),
        "webhook" => (&asked.webhook, None, None),
        "event" => (&asked.event, None, None),
        "answer" => (&asked.answer, Some("500, 4xx, timeout"), None),
        "since" => (&asked.since, Some("2026-05-05T10:06Z, 6h"), Some(when::AGES_ID)),
        _ => (&asked.until, Some("now"), Some(when::AGES_ID)),
    };
    let is_wrong = errors.iter().any(|error| error.field == name);
    html! {
        label { (label) " "
            input name=(name) value=(value) placeholder=[placeholder] list=[list] size=[list.map(|_| INSTANT_CHARS)] title=[list.map(|_| when::HINT)]
                spellcheck="false" autocomplete="off" aria-invalid=[is_wrong.then_some("true")] aria-describedby=[is_wrong.then(|| note(name))];
        }
        (below(name, errors))
    }
}

fn note(name: &str) -> String {
    format!("n-{name}")
}

fn below(name: &str, errors: &[FieldError]) -> Markup {
    html! {
        @for error in errors.iter().filter(|error| error.field == name) {
            span.wrong id=(note(name)) { "It " (error.message) "." }
        }
    }
}

/// That nothing is shown, and what is wrong in an address where no field is.
fn elsewhere(errors: &[FieldError]) -> Markup {
    let is_field =
        |error: &&FieldError| error.field == "status" || FIELDS.iter().any(|(name, _)| error.field == *name);
    html! {
        @if !errors.is_empty() {
            div.wrong role="alert" {
                p { "The filter cannot be read, so nothing was looked for." }
                @for error in errors.iter().filter(|error| !is_field(error)) {
                    p { code { (error.field) } " " (error.message) "." }
                }
            }
        }
    }
}
