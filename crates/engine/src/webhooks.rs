//! Making, changing and ending subscriptions.

use std::time::Duration;

use signalpost_core::basic_auth::{Login, LoginChange};
use signalpost_core::ceilings::{Ceilings, CeilingsChange};
use signalpost_core::custom_header::{HeadersChange, check_header_value};
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::event::Sequence;
use signalpost_core::health::Health;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::limits::{EVENT_TYPE_CHARS_MAX, WEBHOOK_EVENTS_MAX, WEBHOOK_HEADER_NAME_CHARS_MAX};
use signalpost_core::metadata::MetadataChange;
use signalpost_core::order::{OnExhausted, OrderChange, OrderRule};
use signalpost_core::policy::{Patience, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::profile::{PauseRule, Profile, SigningRule};
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{DisableReason, EventSelection, Webhook, WebhookState};
use signalpost_core::workspace::check_name;
use signalpost_filter::Filter;
use signalpost_store::catalog::{
    CreateWebhook, DeleteWebhook, ListWebhooks, Switch, UpdateWebhook, WebhookPage,
};
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::doorbell::Resumed;
use crate::logins::{check_login, check_sole};
use crate::metadata::{self, check_metadata};
use crate::once::{Keep, NotDone};
use crate::workspaces::MINTS_MAX;

#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub name: Option<String>,
    pub url: TargetUrl,
    pub events: EventSelection,
    pub subject: Option<String>,
    /// An expression that the events it gets must satisfy.
    pub filter: Option<String>,
    pub patience: Patience,
    pub ceilings: Ceilings,
    pub order: OrderRule,
    /// Names with their values.
    pub headers: Vec<(String, Secret)>,
    pub login: Login<Secret>,
    /// A secret of the customer's own; one is made when `None`.
    pub secret: Option<Secret>,
    /// Public id of the workspace's key that is to sign, where the dialect has such keys.
    pub signing_key: Option<String>,
    /// Names with their values.
    pub metadata: Vec<(String, String)>,
    /// Whether events are sent from the first moment on.
    pub activity: Activity,
}

impl NewWebhook {
    /// For all events, with nothing out of the ordinary.
    pub const fn to(url: TargetUrl) -> Self {
        Self {
            name: None,
            url,
            events: EventSelection::All,
            subject: None,
            filter: None,
            patience: Patience { retry: None, timeout: None },
            ceilings: Ceilings { in_flight: None, rate: None },
            order: OrderRule { by_key: false, on_exhausted: OnExhausted::Skip },
            headers: Vec::new(),
            login: Login::none(),
            secret: None,
            signing_key: None,
            metadata: Vec::new(),
            activity: Activity::Active,
        }
    }
}

/// A webhook with the only sight of its secret.
#[derive(Debug)]
pub struct IssuedWebhook {
    pub webhook: Webhook,
    /// `None` where webhooks are signed with keys of their workspace.
    pub secret: Option<Secret>,
}

/// `None` leaves a property as it is; an inner `None` takes it away.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    pub name: Option<Option<String>>,
    pub url: Option<TargetUrl>,
    pub events: Option<EventSelection>,
    pub subject: Option<Option<String>>,
    pub filter: Option<Option<String>>,
    pub retry: Option<Option<RetrySchedule>>,
    pub timeout: Option<Option<Duration>>,
    pub ceilings: CeilingsChange,
    pub order: OrderChange,
    pub headers: Option<HeadersChange<Secret>>,
    pub login: LoginChange<Secret>,
    /// Public id of the key that is to sign.
    pub signing_key: Option<Option<String>>,
    pub metadata: Option<MetadataChange>,
    pub active: Option<Activity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Paused,
}

impl Engine {
    /// `Invalid` for properties that the dialect does not permit, `LimitReached` when the workspace has as many webhooks
    /// as the dialect permits, also for calls that race, `NotFound` for a signing key that the workspace does not have. The
    /// webhook gets events accepted from now on.
    pub async fn create_webhook(
        &self,
        view: &View,
        new: NewWebhook,
        keep: Option<Keep<'_, IssuedWebhook>>,
    ) -> Result<Done<IssuedWebhook, Vec<u8>>, Error> {
        let (profile, workspace) = (&view.profile, view.workspace.id);
        check_new(profile, &new)?;
        let signing_key = self.referred_key(view, new.signing_key.as_deref()).await?;
        let mint = || self.mint_public_id(&profile.webhook_id, Counter::Webhook);
        let mut issued = self.draft_webhook(view, new, mint().await?)?;
        issued.webhook.signing_key = signing_key;
        for _ in 0..MINTS_MAX {
            let (webhook, webhooks_max) = (issued.webhook.clone(), profile.webhooks_max);
            let effect = Effect::CreateWebhook(Box::new(CreateWebhook { webhook, webhooks_max }));
            match self.carry_out(Some(workspace), effect, &issued, keep.as_ref()).await {
                Ok(done) => {
                    self.directory.forget(workspace);
                    return Ok(done.map_now(|()| issued));
                }
                Err(NotDone::Refused(StoreError::Taken(_))) => {
                    issued.webhook.public_id = mint().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorCode::Internal, "no free webhook id was found"))
    }

    /// What was given, with everything that is minted.
    fn draft_webhook(&self, view: &View, new: NewWebhook, public_id: String) -> Result<IssuedWebhook, Error> {
        let (profile, workspace) = (&view.profile, view.workspace.id);
        let (id, now) = (WebhookId::from_raw(self.mint_id()), self.clock.now());
        let headers = new.headers.into_iter().map(|(name, value)| (name, Some(value))).collect();
        let headers = self.merged_headers(workspace, id, &[], HeadersChange::Merge(headers))?;
        let login = LoginChange { user: Some(new.login.user), password: Some(new.login.password) };
        let login = Login::none().after(&self.sealed_login(workspace, id, login));
        check_sole(&login, &headers)?;
        let secret = match profile.signing {
            SigningRule::OwnSecret => Some(new.secret.unwrap_or_else(|| self.mint_secret(profile.secret))),
            SigningRule::SharedKeys { .. } => None,
        };
        let webhook = Webhook {
            id,
            workspace,
            public_id,
            name: new.name,
            url: new.url.as_str().to_owned(),
            events: new.events,
            subject: new.subject,
            filter: new.filter,
            state: match new.activity {
                Activity::Active => WebhookState::Active,
                Activity::Paused => WebhookState::Disabled { at: now, reason: paused(profile) },
            },
            patience: new.patience,
            ceilings: new.ceilings,
            order: new.order,
            headers,
            login,
            secret: secret.as_ref().map(|secret| self.seal_secret(workspace, id, secret)),
            previous_secrets: Vec::new(),
            signing_key: None,
            metadata: metadata::collected(new.metadata)?,
            health: Health::default(),
            concurrency: None,
            created_at: now,
            updated_at: now,
            // The store knows where it is made.
            created_after: Sequence(0),
            settled_after: Sequence(0),
        };
        Ok(IssuedWebhook { webhook, secret })
    }

    pub async fn webhook(&self, workspace: WorkspaceId, public_id: &str) -> Result<Webhook, Error> {
        let found = self.store.webhook(workspace, public_id.to_owned()).await?;
        found.ok_or_else(|| Error::not_found("webhook"))
    }

    /// Newest first.
    pub async fn list_webhooks(&self, params: ListWebhooks) -> Result<WebhookPage, Error> {
        Ok(self.store.list_webhooks(params).await?)
    }

    /// When this returns no attempt starts under the old properties. Pausing drops what was pending, on record, or
    /// holds it, as the dialect says; a webhook that is switched on goes on at once with what it holds.
    pub async fn update_webhook(
        &self,
        view: &View,
        public_id: &str,
        change: WebhookChange,
    ) -> Result<Webhook, Error> {
        self.take_away(self.make_change(view, public_id, change)).await
    }

    async fn make_change(
        &self,
        view: &View,
        public_id: &str,
        change: WebhookChange,
    ) -> Result<Webhook, Error> {
        check_change(&view.profile, &change)?;
        let workspace = view.workspace.id;
        let webhook = self.webhook(workspace, public_id).await?;
        let signing_key = match &change.signing_key {
            None => None,
            Some(key) => Some(self.referred_key(view, key.as_deref()).await?),
        };
        let (headers, login) = self.sealed_changes(&webhook, change.headers, change.login)?;
        if let Some(change) = &change.metadata {
            metadata::after(&webhook.metadata, change)?;
        }
        let nothing = UpdateWebhook::nothing(workspace, webhook.id, self.clock.now());
        // One that is on stays as it is: its lane may have counted failures that are not stored yet.
        let is_on = webhook.state.is_active();
        let active = change.active.filter(|activity| !(is_on && *activity == Activity::Active));
        // Another receiver, which has not failed yet.
        let moves = change.url.as_ref().is_some_and(|url| url.as_str() != webhook.url);
        let release = (moves && webhook.health.hold.is_some()).then(|| view.policy().release);
        self.change_webhook(UpdateWebhook {
            name: change.name,
            url: change.url.map(|url| url.as_str().to_owned()),
            events: change.events,
            subject: change.subject,
            filter: change.filter,
            retry: change.retry,
            timeout: change.timeout,
            ceilings: change.ceilings,
            order: change.order,
            headers,
            login,
            signing_key,
            metadata: change.metadata,
            switch: active.map(|activity| match activity {
                Activity::Active => Switch::Enable,
                Activity::Paused => Switch::Disable(paused(&view.profile)),
            }),
            release,
            ..nothing
        })
        .await
    }

    /// When this returns no attempt starts under the old state, also when it fails.
    pub(crate) async fn change_webhook(&self, change: UpdateWebhook) -> Result<Webhook, Error> {
        let (workspace, webhook) = (change.workspace, change.webhook);
        let (enables, release) = (change.switch == Some(Switch::Enable), change.release);
        let updated = self.store.update_webhook(change).await;
        if enables || release.is_some() {
            let health = updated.as_ref().ok().map(|webhook| webhook.health);
            self.directory.forget(workspace);
            self.doorbell.resume(webhook, Resumed { health, release }).await;
        } else {
            self.apply_change(workspace, webhook).await;
        }
        Ok(updated?)
    }

    /// When this returns no attempt to it starts any more; what was pending is dropped, on record, and who did it is
    /// remembered. Gives the webhook as it was until then, changed last by its end.
    pub async fn delete_webhook(
        &self,
        view: &View,
        public_id: &str,
        by: &Principal,
    ) -> Result<Webhook, Error> {
        self.take_away(async {
            let (workspace, at, by) = (view.workspace.id, self.clock.now(), by.clone());
            let webhook = self.webhook(workspace, public_id).await?.id;
            let deleted = self.store.delete_webhook(DeleteWebhook { workspace, webhook, at, by }).await;
            self.apply_change(workspace, webhook).await;
            Ok(Webhook { updated_at: at, ..deleted? })
        })
        .await
    }

    /// Returns when nothing starts under what was known of the webhook. Also after a failure: the store may have made
    /// the change and lost the answer, and a caller who asks again is told that there is nothing left to do.
    pub(crate) async fn apply_change(&self, workspace: WorkspaceId, webhook: WebhookId) {
        self.directory.forget(workspace);
        self.doorbell.reload(webhook).await;
    }
}

/// Why a webhook is off that its owner switched off.
const fn paused(profile: &Profile) -> DisableReason {
    match profile.pause {
        PauseRule::Drops => DisableReason::ByOwner,
        PauseRule::Holds => DisableReason::Paused,
    }
}

fn check_new(profile: &Profile, new: &NewWebhook) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    check_words(&mut errors, profile, new.name.as_deref(), Some(&new.events), new.subject.as_deref());
    errors.take("filter", new.filter.as_deref().map_or(Ok(()), check_filter));
    new.headers.iter().for_each(|(name, value)| check_header(&mut errors, profile, name, Some(value)));
    check_login(&mut errors, profile, new.login.user.as_deref(), new.login.password.as_ref());
    errors.take("secret", new.secret.as_ref().map_or(Ok(()), |own| check_own_secret(profile, own)));
    new.metadata.iter().for_each(|(name, value)| check_metadata(&mut errors, name, Some(value)));
    errors.into_result()
}

fn check_change(profile: &Profile, change: &WebhookChange) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    let name = change.name.as_ref().and_then(Option::as_deref);
    let subject = change.subject.as_ref().and_then(Option::as_deref);
    check_words(&mut errors, profile, name, change.events.as_ref(), subject);
    let filter = change.filter.as_ref().and_then(Option::as_deref);
    errors.take("filter", filter.map_or(Ok(()), check_filter));
    if let Some(HeadersChange::Merge(headers)) = &change.headers {
        headers.iter().for_each(|(name, value)| check_header(&mut errors, profile, name, value.as_ref()));
    }
    let LoginChange { user, password } = &change.login;
    let (user, password) = (user.as_ref().and_then(Option::as_deref), password.as_ref());
    check_login(&mut errors, profile, user, password.and_then(Option::as_ref));
    if let Some(MetadataChange::Merge(entries)) = &change.metadata {
        entries.iter().for_each(|(name, value)| check_metadata(&mut errors, name, value.as_deref()));
    }
    errors.into_result()
}

fn check_words(
    errors: &mut FieldErrors,
    profile: &Profile,
    name: Option<&str>,
    events: Option<&EventSelection>,
    subject: Option<&str>,
) {
    errors.take("name", name.map_or(Ok(()), check_name));
    if let Some(EventSelection::Only(entries)) = events {
        errors.take("events", check_selection(profile, entries));
    }
    errors.take("subject", subject.map_or(Ok(()), |subject| profile.check_subject(Some(subject))));
}

fn check_own_secret(profile: &Profile, own: &Secret) -> Result<(), String> {
    match profile.signing {
        SigningRule::OwnSecret => profile.secret.check(own),
        SigningRule::SharedKeys { .. } => {
            Err("cannot be set: webhooks of this dialect are signed with keys of their workspace".to_owned())
        }
    }
}

/// Whether a filter can be understood; the error is a sentence for its owner, with the place.
pub fn check_filter(text: &str) -> Result<(), String> {
    Filter::compile(text).map(drop).map_err(|error| error.to_string())
}

/// One that is to be removed needs no good name: nobody has it then.
fn check_header(errors: &mut FieldErrors, profile: &Profile, name: &str, value: Option<&Secret>) {
    let Some(value) = value else { return };
    let checked = profile.check_header_name(name).and_then(|()| check_header_value(value.expose_text()));
    // Shortened, and escaped as in RFC 6901, for `/` joins the parts of a place.
    let shown: String = name.chars().take(WEBHOOK_HEADER_NAME_CHARS_MAX).collect();
    errors.take(&format!("headers/{}", shown.replace('~', "~0").replace('/', "~1")), checked);
}

fn check_selection(profile: &Profile, entries: &[String]) -> Result<(), String> {
    if entries.is_empty() {
        return Err("must name at least one event type".to_owned());
    }
    if entries.len() > WEBHOOK_EVENTS_MAX {
        return Err(format!("may name at most {WEBHOOK_EVENTS_MAX} event types"));
    }
    for entry in entries {
        let shown: String = entry.chars().take(EVENT_TYPE_CHARS_MAX).collect();
        profile.check_selected(entry).map_err(|problem| format!("`{shown}` {problem}"))?;
    }
    Ok(())
}
