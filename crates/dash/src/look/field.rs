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
            fieldset.field aria-describedby=(self.note()) {
                legend { (self.label) }
                div.choices { (inputs) }
                (self.below())
            }
        }
    }

    fn below(&self) -> Markup {
        html! {
            div id=(self.note()) {
                @for error in self.own() { span.wrong { "It " (error.message) ". " } }
                span.muted { (self.hint) }
            }
        }
    }

    /// Also errors of what lies inside, such as `events/3`.
    fn own(&self) -> impl Iterator<Item = &FieldError> {
        self.errors.iter().filter(|error| error.field.split('/').next() == Some(self.name))
    }
}

/// What is to be read first when something is wrong.
pub(crate) fn summary(errors: &[FieldError]) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.wrong role="alert" {
                p { "Nothing was changed." }
                @let of_all = errors.iter().filter(|error| error.field.is_empty());
                @for error in of_all { p { (error.message) } }
            }
        }
    }
}
