//! The form that a webhook is made and changed with. It keeps what was typed, and says what is wrong at its field.

use maud::{Markup, html};
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_core::webhook_form::{ChangeRule, EventsRule, TextRule};
use signalpost_engine::{Engine, View};

use super::fields::{EVENT, Filled};
use crate::look::field::{self, Field};
use crate::look::frame::proof;
use crate::visit::Visit;

/// A form with all that it shows.
pub(super) struct Form<'a> {
    pub(super) visit: &'a Visit,
    pub(super) view: &'a View,
    pub(super) filled: &'a Filled,
    /// Where it is sent.
    pub(super) action: &'a str,
    pub(super) purpose: Purpose,
    /// Keys that may sign, where webhooks refer to one.
    pub(super) keys: &'a [String],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    New,
    Change,
}

impl Purpose {
    /// What is on the button.
    const fn verb(self) -> &'static str {
        match self {
            Self::New => "Make the webhook",
            Self::Change => "Save",
        }
    }
}

/// The keys that a webhook of this workspace may refer to.
pub(super) async fn signing_keys(engine: &Engine, view: &View) -> Result<Vec<String>, Error> {
    match view.profile.signing {
        SigningRule::OwnSecret => Ok(Vec::new()),
        SigningRule::SharedKeys { .. } => {
            let keys = engine.list_signing_keys(view.workspace.id).await?;
            Ok(keys.into_iter().map(|key| key.public_id).collect())
        }
    }
}

/// The fields that a form may have.
const FIELDS: [&str; 8] = ["url", "name", "subject", "events", "filter", "user", "password", "signing_key"];

/// Errors that are to be shown on the form; any other is given back.
pub(super) fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => {
            Ok(error.fields.into_iter().map(|error| at_its_field(of_login(error), &FIELDS)).collect())
        }
        ErrorCode::Invalid | ErrorCode::LimitReached | ErrorCode::Conflict => {
            Ok(vec![FieldError { field: String::new(), message: error.message }])
        }
        _ => Err(error),
    }
}

/// The engine's names of the parts of a login are not the form's.
fn of_login(error: FieldError) -> FieldError {
    let field = match error.field.as_str() {
        "login/user" => "user".to_owned(),
        "login/password" | "login" => "password".to_owned(),
        _ => error.field,
    };
    FieldError { field, ..error }
}

/// What has no field among these is said above the form.
pub(super) fn at_its_field(error: FieldError, fields: &[&str]) -> FieldError {
    let FieldError { field, message } = error;
    if fields.iter().any(|own| field.split('/').next() == Some(own)) {
        return FieldError { field, message };
    }
    FieldError { field: String::new(), message: format!("{field} {message}") }
}

impl Form<'_> {
    pub(super) fn render(&self, errors: &[FieldError]) -> Markup {
        let profile = &self.view.profile;
        let form = &profile.webhook_form;
        let subject = form.subject_word.as_str();
        html! {
            (field::summary_of(errors, &[("subject", subject)]))
            form.sheet method="post" action=(self.action) {
                (proof(self.visit))
                @for (name, text) in self.filled.copies() { input type="hidden" name=(name) value=(text); }
                (self.url(errors))
                (self.text("name", "Name", "For people.", form.name, errors))
                @if self.purpose == Purpose::Change && form.changes == ChangeRule::AllButSubject {
                    (self.fixed("subject", subject, errors))
                } @else {
                    (self.text("subject", subject, "Only events about this one.", form.subject, errors))
                }
                (self.events(profile, errors))
                (self.filter(form.filter, errors))
                @if form.login.is_some() { (self.login(errors)) }
                @if matches!(profile.signing, SigningRule::SharedKeys { .. }) { (self.signing_key(errors)) }
                p { button { (self.purpose.verb()) } }
            }
        }
    }

    fn url(&self, errors: &[FieldError]) -> Markup {
        let field = Field { name: "url", label: "URL", hint: "Where events are sent.", errors };
        let chars_max = self.view.profile.webhook_form.url.chars_max.to_string();
        field.wrap(&html! {
            input #f-url type="url" name="url" required maxlength=(chars_max) value=(self.filled.raw("url"))
                spellcheck="false" autocomplete="off" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()];
        })
    }

    fn text(&self, name: &str, label: &str, hint: &str, rule: TextRule, errors: &[FieldError]) -> Markup {
        let Some(chars_max) = rule.chars_max() else { return html! {} };
        let field = Field { name, label, hint, errors };
        let value = self.filled.raw(name);
        field.wrap(&html! {
            input id={ "f-" (name) } name=(name) required[rule.is_required()] maxlength=(chars_max) value=(value)
                spellcheck="false" autocomplete="off" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()];
        })
    }

    /// What was chosen for good: no input, so that nobody tries.
    fn fixed(&self, name: &str, label: &str, errors: &[FieldError]) -> Markup {
        let field = Field { name, label, hint: "It stays as it was made.", errors };
        field.group(&html! { code { (self.filled.shown(name)) } })
    }

    /// It may have several lines, and comments.
    fn filter(&self, rule: TextRule, errors: &[FieldError]) -> Markup {
        let Some(chars_max) = rule.chars_max() else { return html! {} };
        let hint = "An expression over the event's data.";
        let field = Field { name: "filter", label: "Filter", hint, errors };
        field.wrap(&html! {
            // Browsers take away the first end of a line.
            textarea #f-filter name="filter" rows="3" maxlength=(chars_max) spellcheck="false" aria-describedby=(field.note())
                aria-invalid=[field.is_wrong()] { "\n" (self.filled.raw("filter")) }
        })
    }

    fn events(&self, profile: &Profile, errors: &[FieldError]) -> Markup {
        let Some(kinds) = &profile.catalogue else {
            let hint = "One to a line, or patterns such as order.*; none are all.";
            let field = Field { name: "events", label: "Event types", hint, errors };
            return field.wrap(&html! {
                textarea #f-events name="events" rows="3" spellcheck="false" aria-describedby=(field.note())
                    aria-invalid=[field.is_wrong()] { "\n" (self.filled.raw("events")) }
            });
        };
        let rule = profile.webhook_form.events;
        let (kind, hint) = match rule {
            EventsRule::One => ("radio", "One of them."),
            EventsRule::Some => ("checkbox", "At least one."),
            EventsRule::AllOrSome => ("checkbox", "None are all."),
        };
        let field = Field { name: "events", label: "Event types", hint, errors };
        field.group(&html! {
            @for event in kinds {
                @let ticked = format!("{EVENT}{}", event.name);
                @let is_on = self.filled.has(&ticked) || self.filled.text("event") == event.name;
                label.choice {
                    @if rule == EventsRule::One { input type=(kind) name="event" value=(event.name) checked[is_on]; }
                    @else { input type=(kind) name=(ticked) checked[is_on]; }
                    " " code { (event.name) }
                }
            }
        })
    }

    fn login(&self, errors: &[FieldError]) -> Markup {
        let hint = "Sent as HTTP Basic when the receiver asks for one.";
        let user = Field { name: "user", label: "User name", hint, errors };
        let errors = self.with_password_lost(errors);
        let hint = match self.purpose {
            Purpose::New => "It is not shown again.",
            Purpose::Change => "It is not shown again. Left empty, it stays as it is.",
        };
        let password = Field { name: "password", label: "Password", hint, errors: &errors };
        html! {
            (user.wrap(&html! {
                input #f-user name="user" value=(self.filled.raw("user")) spellcheck="false" autocomplete="off"
                    aria-describedby=(user.note()) aria-invalid=[user.is_wrong()];
            }))
            (password.wrap(&html! {
                input #f-password type="password" name="password" autocomplete="new-password" aria-describedby=(password.note())
                    aria-invalid=[password.is_wrong()];
            }))
        }
    }

    /// A page does not carry a password: after a refusal it is gone, and whoever typed it should know.
    fn with_password_lost(&self, errors: &[FieldError]) -> Vec<FieldError> {
        let mut errors = errors.to_vec();
        if !errors.is_empty() && !self.filled.raw("password").is_empty() {
            let message = "must be typed again: a page that comes back does not carry it".to_owned();
            errors.push(FieldError { field: "password".to_owned(), message });
        }
        errors
    }

    fn signing_key(&self, errors: &[FieldError]) -> Markup {
        let hint = "The signature that requests carry.";
        let field = Field { name: "signing_key", label: "Signed with", hint, errors };
        let chosen = self.filled.text("signing_key");
        field.wrap(&html! {
            select #f-signing_key name="signing_key" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()] {
                option value="" { "nothing" }
                @for key in self.keys { option value=(key) selected[key == chosen] { (key) } }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_field_is_said_above_the_form() {
        let placed = |field: &str| {
            let error = FieldError { field: field.to_owned(), message: "is required".to_owned() };
            let FieldError { field, message } = at_its_field(of_login(error), &FIELDS);
            format!("{field}: {message}")
        };
        assert_eq!(placed("resourceId"), ": resourceId is required");
        assert_eq!(placed("events/3"), "events/3: is required");
        assert_eq!(placed("login"), "password: is required");
        assert_eq!(placed("login/user"), "user: is required");
    }
}
