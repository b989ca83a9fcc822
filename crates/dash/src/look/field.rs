//! A field of a form with its label, what it is for, and what is wrong with it.

use maud::{Markup, html};
use signalpost_core::error::FieldError;

pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    pub(crate) hint: &'a str,
    /// Of the whole form.
    pub(crate) errors: &'a [FieldError],
}

impl Field<'_> {
    /// What describes it, by its id.
    pub(crate) fn note(&self) -> String {
        format!("n-{}", self.name)
    }

    /// For `aria-invalid`.
    pub(crate) fn is_wrong(&self) -> Option<&'static str> {
        self.own().next().map(|_| "true")
    }

    /// Around an input whose id is `f-` and the name.
    pub(crate) fn wrap(&self, input: &Markup) -> Markup {
        html! {
            div.field {
                label for={ "f-" (self.name) } { (self.label) }
                (input)
                (self.below())
            }
        }
    }

    /// Around inputs that have labels of their own.
    pub(crate) fn group(&self, inputs: &Markup) -> Markup {
        html! {
            fieldset.field id={ "f-" (self.name) } tabindex="-1" aria-describedby=(self.note()) aria-invalid=[self.is_wrong()] {
                legend { (self.label) }
                div.choices { (inputs) }
                (self.below())
            }
        }
    }

    fn below(&self) -> Markup {
        html! {
            div id=(self.note()) {
                @for error in self.own() { span.wrong { (self.label) ": " (error.message) ". " } }
                span.muted { (self.hint) }
            }
        }
    }

    /// Also errors of what lies inside, such as `events/3`.
    fn own(&self) -> impl Iterator<Item = &FieldError> {
        self.errors.iter().filter(|error| outermost(error) == self.name)
    }
}

/// What is to be read first when something is wrong: all of it, with ways to the fields. It takes the focus, with the help of the
/// script in a frame, where `autofocus` does nothing.
pub(crate) fn summary(errors: &[FieldError]) -> Markup {
    summary_of(errors, &[])
}

/// The same of a form on which the dialect gives some fields labels of its own.
pub(crate) fn summary_of(errors: &[FieldError], labels: &[(&str, &str)]) -> Markup {
    let called = |name: &str| {
        let own = labels.iter().find(|(known, _)| *known == name);
        own.map_or_else(|| label(name), |(_, label)| (*label).to_owned())
    };
    html! {
        @if !errors.is_empty() {
            div.summary.wrong role="group" aria-labelledby="summary" tabindex="-1" autofocus {
                p #summary { "Nothing was changed." }
                ul {
                    @for error in errors {
                        li {
                            @if error.field.is_empty() { (error.message) }
                            @else { a href={ "#f-" (outermost(error)) } { (called(outermost(error))) ": " (error.message) } }
                        }
                    }
                }
            }
        }
    }
}

/// The field of the form that an error lies in.
fn outermost(error: &FieldError) -> &str {
    error.field.split('/').next().unwrap_or_default()
}

/// What stands on the label of a field; a test holds them against each other.
fn label(name: &str) -> String {
    let known = match name {
        "url" => "URL",
        "user" | "username" => "User name",
        "events" | "types" => "Event types",
        "signing_key" => "Signed with",
        "id" => "To go on, type the id of the webhook",
        "scopes" => "May",
        "days" => "Lives",
        "which" => "Which deliveries",
        "since" => "Events accepted since",
        "until" => "and before",
        "rate_per_second" => "Deliveries a second, at most",
        plain => return capitalized(plain),
    };
    known.to_owned()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
