//! What was filled in, judged by the rules of the dialect. What is wrong is said at its field.

use std::collections::BTreeMap;

use signalpost_core::basic_auth::{Login, LoginChange};
use signalpost_core::cidr::Cidr;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_core::webhook_form::Schemes;
use signalpost_engine::View;
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};

/// Before the name of an event type that is ticked.
pub(super) const EVENT: &str = "event:";

/// The fields of a form by their names.
#[derive(Default)]
pub(super) struct Filled(BTreeMap<String, String>);

/// All that a webhook of a form is made of.
struct Read {
    name: Option<String>,
    url: TargetUrl,
    events: EventSelection,
    subject: Option<String>,
    filter: Option<String>,
    user: Option<String>,
    password: Option<Secret>,
    signing_key: Option<String>,
}

impl Filled {
    pub(super) const fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }

    /// As a webhook stands now.
    pub(super) fn of(webhook: &Webhook, signing_key: Option<String>) -> Self {
        let mut fields = BTreeMap::new();
        let texts = [
            ("name", webhook.name.clone()),
            ("url", Some(webhook.url.clone())),
            ("subject", webhook.subject.clone()),
            ("filter", webhook.filter.clone()),
            ("user", webhook.login.user.clone()),
            ("signing_key", signing_key),
        ];
        fields.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))));
        if let EventSelection::Only(types) = &webhook.events {
            fields.insert("events".to_owned(), types.join("\n"));
            fields.extend(types.iter().map(|name| (format!("{EVENT}{name}"), "on".to_owned())));
        }
        Self(fields)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// `Invalid` with everything that is wrong.
    pub(super) fn new_webhook(&self, view: &View, opened: &[Cidr]) -> Result<NewWebhook, Error> {
        let read = self.read(view, opened)?;
        Ok(NewWebhook {
            name: read.name,
            events: read.events,
            subject: read.subject,
            filter: read.filter,
            login: Login { user: read.user, password: read.password },
            signing_key: read.signing_key,
            ..NewWebhook::to(read.url)
        })
    }

    /// The same as a change. A password that was left empty stays, unless the user name was taken away.
    pub(super) fn change(&self, view: &View, opened: &[Cidr]) -> Result<WebhookChange, Error> {
        let form = &view.profile.webhook_form;
        let read = self.read(view, opened)?;
        let has = |chars_max: Option<usize>| chars_max.is_some();
        let password = match (&read.user, read.password) {
            (_, Some(password)) => Some(Some(password)),
            (None, None) => Some(None),
            (Some(_), None) => None,
        };
        let has_keys = matches!(view.profile.signing, SigningRule::SharedKeys { .. });
        Ok(WebhookChange {
            name: has(form.name.chars_max()).then_some(read.name),
            url: Some(read.url),
            events: Some(read.events),
            subject: has(form.subject.chars_max()).then_some(read.subject),
            filter: has(form.filter.chars_max()).then_some(read.filter),
            login: match form.login {
                Some(_) => LoginChange { user: Some(read.user), password },
                None => LoginChange::default(),
            },
            signing_key: has_keys.then_some(read.signing_key),
            ..WebhookChange::default()
        })
    }

    fn read(&self, view: &View, opened: &[Cidr]) -> Result<Read, Error> {
        let (profile, form) = (&view.profile, &view.profile.webhook_form);
        let mut errors = FieldErrors::default();
        for (name, rule) in [("name", form.name), ("subject", form.subject), ("filter", form.filter)] {
            errors.take(name, rule.check(self.text(name)));
        }
        let url = errors.take("url", self.url(profile, opened));
        let events = errors.take("events", self.events(profile));
        errors.take("user", self.login(profile));
        errors.into_result()?;
        let (Some(url), Some(events)) = (url, events) else {
            return Err(Error::internal("a field was lost although none was refused"));
        };
        Ok(Read {
            name: self.given("name"),
            url,
            events,
            subject: self.given("subject"),
            filter: self.given("filter"),
            user: self.given("user"),
            // A space may belong to a password.
            password: self
                .0
                .get("password")
                .filter(|text| !text.is_empty())
                .map(|text| Secret::from_text(text)),
            signing_key: self.given("signing_key"),
        })
    }

    fn url(&self, profile: &Profile, opened: &[Cidr]) -> Result<TargetUrl, String> {
        let (rule, text) = (profile.webhook_form.url, self.text("url"));
        if text.is_empty() {
            return Err("is required".to_owned());
        }
        if text.chars().count() > rule.chars_max {
            return Err(format!("must be at most {} characters long", rule.chars_max));
        }
        let url = TargetUrl::parse(text)?;
        match rule.schemes {
            Schemes::Any => Ok(url),
            Schemes::Secure => url.check_secure(opened).map(|()| url),
        }
    }

    /// Ticked ones where there is a catalogue, else those of the text.
    fn events(&self, profile: &Profile) -> Result<EventSelection, String> {
        let mut types: Vec<String> = match &profile.catalogue {
            Some(kinds) => {
                let names = kinds.iter().map(|kind| &kind.name);
                let one = self.text("event");
                names.filter(|name| one == *name || self.has(&format!("{EVENT}{name}"))).cloned().collect()
            }
            None => self.text("events").split([',', '\n']).map(|entry| entry.trim().to_owned()).collect(),
        };
        types.retain(|name| !name.is_empty() && name != "*");
        let mut seen = std::collections::BTreeSet::new();
        types.retain(|name| seen.insert(name.clone()));
        profile.webhook_form.events.check(types.len())?;
        for entry in &types {
            profile.check_selected(entry).map_err(|problem| format!("`{entry}` {problem}"))?;
        }
        Ok(if types.is_empty() { EventSelection::All } else { EventSelection::Only(types) })
    }

    fn login(&self, profile: &Profile) -> Result<(), String> {
        let (user, password) = (self.text("user").chars().count(), self.text("password").chars().count());
        match profile.webhook_form.login {
            None if user + password == 0 => Ok(()),
            None => Err("is not a property of webhooks here".to_owned()),
            Some(bounds) if user > bounds.user_chars_max || password > bounds.password_chars_max => {
                Err(format!(
                    "must be at most {} characters long, and the password {}",
                    bounds.user_chars_max, bounds.password_chars_max
                ))
            }
            Some(_) if user == 0 && password > 0 => Err("is required with a password".to_owned()),
            Some(_) => Ok(()),
        }
    }
}

/// `Forbidden` where webhooks are a feature that the workspace does not have.
pub(super) fn check_feature(view: &View) -> Result<(), Error> {
    match &view.profile.webhook_form.feature {
        Some(feature) if !view.workspace.features.contains(feature) => {
            let message =
                format!("this workspace does not have the feature `{feature}`, which webhooks need");
            Err(Error::new(ErrorCode::Forbidden, message))
        }
        _ => Ok(()),
    }
}
