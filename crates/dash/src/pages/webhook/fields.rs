//! What was filled in, judged by the rules of the dialect. What is wrong is said at its field.

use std::collections::{BTreeMap, BTreeSet};

use signalpost_core::basic_auth::{Login, LoginChange, check_password, check_user};
use signalpost_core::cidr::Cidr;
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_core::webhook_form::{ChangeRule, Schemes, TextRule};
use signalpost_engine::View;
use signalpost_engine::webhooks::{NewWebhook, WebhookChange};

/// Where types are typed, every one of them.
const ALL_EVENTS: &str = "*";

/// Before the name of an event type that is ticked.
pub(super) const EVENT: &str = "event:";

/// The field with the event types, where they are typed.
const EVENTS: &str = "events";

/// Before the name of a field: what the form showed there, so that only what somebody has changed is changed.
const WAS: &str = "was:";

/// The fields that are texts.
const TEXTS: [&str; 6] = ["name", "url", "subject", "filter", "user", "signing_key"];

/// The fields of a form by their names. Lines end as they are stored: a form is sent with a carriage return before each end.
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
    pub(super) fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields.into_iter().map(|(name, text)| (name, text.replace("\r\n", "\n"))).collect())
    }

    /// As a webhook stands now.
    pub(super) fn of(webhook: &Webhook, signing_key: Option<String>) -> Self {
        let texts = [
            webhook.name.clone(),
            Some(webhook.url.clone()),
            webhook.subject.clone(),
            webhook.filter.clone(),
            webhook.login.user.clone(),
            signing_key,
        ];
        let names = TEXTS.map(str::to_owned).into_iter();
        let mut fields: BTreeMap<String, String> = names.zip(texts.map(Option::unwrap_or_default)).collect();
        let types = match &webhook.events {
            EventSelection::Only(types) => types.as_slice(),
            EventSelection::All => &[],
        };
        fields.insert(EVENTS.to_owned(), types.join("\n"));
        let copies: Vec<_> =
            fields.iter().map(|(name, text)| (format!("{WAS}{name}"), text.clone())).collect();
        fields.extend(copies);
        fields.extend(types.iter().map(|name| (format!("{EVENT}{name}"), "on".to_owned())));
        Self::new(fields)
    }

    /// What was shown, under the names by which a form carries it along.
    pub(super) fn copies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with(WAS))
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// As it was typed, or is stored.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// As the form showed it first.
    pub(super) fn shown(&self, name: &str) -> &str {
        self.raw(&format!("{WAS}{name}"))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// Whether something else is there than what was shown. What is not on the form is nobody's change.
    fn is_changed(&self, name: &str) -> bool {
        let is_another = |now| self.0.get(&format!("{WAS}{name}")) != Some(now);
        self.0.get(name).is_some_and(is_another)
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

    /// What was changed on a form that showed a webhook, and nothing else: what others have changed meanwhile stays.
    pub(super) fn change(&self, view: &View, opened: &[Cidr]) -> Result<WebhookChange, Error> {
        let (profile, form) = (&view.profile, &view.profile.webhook_form);
        let mut errors = FieldErrors::default();
        if form.changes != ChangeRule::All && self.is_changed("subject") {
            errors.push("subject", "cannot be changed");
        }
        let mut text = |name: &str, rule: TextRule| {
            let is_changed =
                self.is_changed(name) && errors.take(name, rule.check(self.text(name))).is_some();
            (is_changed && rule.chars_max().is_some()).then(|| self.given(name))
        };
        let (name, subject) = (text("name", form.name), text("subject", form.subject));
        let filter = text("filter", form.filter);
        let url = if self.is_changed("url") { errors.take("url", self.url(profile, opened)) } else { None };
        let events = match self.selects_anew(profile) {
            true => errors.take("events", self.events(profile)),
            false => None,
        };
        self.check_login(profile, &mut errors);
        errors.into_result()?;
        let has_keys = matches!(profile.signing, SigningRule::SharedKeys { .. });
        let signing_key = (has_keys && self.is_changed("signing_key")).then(|| self.given("signing_key"));
        let login = if form.login.is_some() { self.login_change() } else { LoginChange::default() };
        Ok(WebhookChange {
            name,
            url,
            events,
            subject,
            filter,
            login,
            signing_key,
            ..WebhookChange::default()
        })
    }

    /// A password that was left empty stays, unless the user name was taken away.
    fn login_change(&self) -> LoginChange<Secret> {
        let user = self.is_changed("user").then(|| self.given("user"));
        let password = match (&user, self.password()) {
            (_, Some(password)) => Some(Some(password)),
            (Some(None), None) => Some(None),
            (_, None) => None,
        };
        LoginChange { user, password }
    }

    /// A space may belong to it.
    fn password(&self) -> Option<Secret> {
        Some(self.raw("password")).filter(|text| !text.is_empty()).map(Secret::from_text)
    }

    fn read(&self, view: &View, opened: &[Cidr]) -> Result<Read, Error> {
        let (profile, form) = (&view.profile, &view.profile.webhook_form);
        let mut errors = FieldErrors::default();
        for (name, rule) in [("name", form.name), ("subject", form.subject), ("filter", form.filter)] {
            errors.take(name, rule.check(self.text(name)));
        }
        let url = errors.take("url", self.url(profile, opened));
        let events = errors.take("events", self.events(profile));
        self.check_login(profile, &mut errors);
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
            password: self.password(),
            signing_key: self.given("signing_key"),
        })
    }

    fn url(&self, profile: &Profile, opened: &[Cidr]) -> Result<TargetUrl, String> {
        let (rule, text) = (profile.webhook_form.url, self.text("url"));
        if text.is_empty() {
            return Err("is required".to_owned());
        }
        check_length(text, rule.chars_max)?;
        let url = TargetUrl::parse(text)?;
        match rule.schemes {
            Schemes::Any => Ok(url),
            Schemes::AnyInLowerCase if text.starts_with("https://") || text.starts_with("http://") => Ok(url),
            Schemes::AnyInLowerCase => Err("must begin with https:// or http://, in lower case".to_owned()),
            Schemes::Secure => url.check_secure(opened).map(|()| url),
        }
    }

    /// Ticked ones where there is a catalogue, else those of the text; each once. A tick may be for a type that the catalogue
    /// has lost since the form was shown.
    fn chosen(&self, profile: &Profile) -> Vec<String> {
        let Some(kinds) = &profile.catalogue else { return entries(self.raw(EVENTS)) };
        let ticked = self.0.keys().filter_map(|name| name.strip_prefix(EVENT)).chain([self.text("event")]);
        let ticked: BTreeSet<&str> = ticked.filter(|name| !name.is_empty()).collect();
        let known = kinds.iter().map(|kind| kind.name.as_str()).filter(|name| ticked.contains(name));
        let lost = ticked.iter().copied().filter(|name| kinds.iter().all(|kind| kind.name != *name));
        known.chain(lost).map(str::to_owned).collect()
    }

    /// Whether other types are chosen than were shown. What the catalogue does not have was not shown.
    fn selects_anew(&self, profile: &Profile) -> bool {
        let Some(was) = self.0.get(&format!("{WAS}{EVENTS}")) else {
            return profile.catalogue.is_some() || self.has(EVENTS);
        };
        let is_shown = |name: &String| profile.check_selected(name).is_ok();
        let shown: BTreeSet<String> = entries(was).into_iter().filter(is_shown).collect();
        shown != self.chosen(profile).into_iter().collect()
    }

    fn events(&self, profile: &Profile) -> Result<EventSelection, String> {
        let mut types = self.chosen(profile);
        match types.iter().any(|entry| entry == ALL_EVENTS) {
            true if types.len() == 1 => types.clear(),
            true => return Err("`*` is every type and must stand alone".to_owned()),
            false => {}
        }
        profile.webhook_form.events.check(types.len())?;
        for entry in &types {
            profile.check_selected(entry).map_err(|problem| format!("`{entry}` {problem}"))?;
        }
        Ok(if types.is_empty() { EventSelection::All } else { EventSelection::Only(types) })
    }

    /// Of a new user name the password has to be typed: whoever may not see one cannot mean to keep it for another user.
    fn check_login(&self, profile: &Profile, errors: &mut FieldErrors) {
        let (user, password) = (self.text("user"), self.password());
        let Some(bounds) = profile.webhook_form.login else {
            if !user.is_empty() || password.is_some() {
                errors.push("user", "is not a property of webhooks here");
            }
            return;
        };
        if !user.is_empty() {
            errors.take("user", check_user(user).and(check_length(user, bounds.user_chars_max)));
        }
        match &password {
            Some(password) => {
                let length = check_length(password.expose_text(), bounds.password_chars_max);
                errors.take("password", check_password(password).and(length));
                if user.is_empty() {
                    errors.push("user", "is required with a password");
                }
            }
            None if !user.is_empty() && self.is_changed("user") => {
                errors.push("password", "is required with this user name");
            }
            None => {}
        }
    }
}

fn check_length(text: &str, chars_max: usize) -> Result<(), String> {
    if text.chars().count() > chars_max {
        return Err(format!("must be at most {chars_max} characters long"));
    }
    Ok(())
}

/// The lines and what commas part, each once.
fn entries(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.filter(|entry| seen.insert(*entry)).map(str::to_owned).collect()
}
