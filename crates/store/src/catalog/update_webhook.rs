//! What may change of a webhook, and what each change does to it.

use std::time::Duration;

use signalpost_core::basic_auth::LoginChange;
use signalpost_core::ceilings::CeilingsChange;
use signalpost_core::custom_header::{HeadersChange, merged};
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::id::{SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::metadata::{self, MetadataChange};
use signalpost_core::order::OrderChange;
use signalpost_core::policy::RetrySchedule;
use signalpost_core::rotation::{self, SecretsChange};
use signalpost_core::secret::SealedSecret;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, EventSelection, Webhook, WebhookState};

use crate::StoreError;

/// `None` leaves a property as it is; an inner `None` takes it away.
#[derive(Clone, Debug)]
pub struct UpdateWebhook {
    pub workspace: WorkspaceId,
    pub webhook: WebhookId,
    pub at: Timestamp,
    pub name: Option<Option<String>>,
    /// Another one has another receiver, of which nothing was learned.
    pub url: Option<String>,
    pub events: Option<EventSelection>,
    pub subject: Option<Option<String>>,
    pub filter: Option<Option<String>>,
    pub retry: Option<Option<RetrySchedule>>,
    pub timeout: Option<Option<Duration>>,
    pub ceilings: CeilingsChange,
    pub order: OrderChange,
    /// Merged into what is stored when it is stored, so that two changes at once do not lose one another.
    pub headers: Option<HeadersChange<SealedSecret>>,
    /// Each part by itself.
    pub login: LoginChange<SealedSecret>,
    pub secrets: Option<SecretsChange>,
    pub signing_key: Option<Option<SigningKeyId>>,
    /// Merged as the headers are.
    pub metadata: Option<MetadataChange>,
    pub switch: Option<Switch>,
    /// Ends a pause by the engine, and with [`ReleaseOrder::Skip`] everything that is owed, by a cut. Does nothing to a
    /// webhook that is not paused so.
    pub release: Option<ReleaseOrder>,
}

impl UpdateWebhook {
    /// A change of nothing, from which others are made.
    pub const fn nothing(workspace: WorkspaceId, webhook: WebhookId, at: Timestamp) -> Self {
        Self {
            workspace,
            webhook,
            at,
            name: None,
            url: None,
            events: None,
            subject: None,
            filter: None,
            retry: None,
            timeout: None,
            ceilings: CeilingsChange { in_flight: None, rate: None },
            order: OrderChange { by_key: None, on_exhausted: None },
            headers: None,
            login: LoginChange { user: None, password: None },
            secrets: None,
            signing_key: None,
            metadata: None,
            switch: None,
            release: None,
        }
    }

    /// Changes a webhook, refusing what [`crate::Catalog::update_webhook`] does of secrets, headers, login and metadata. What
    /// needs the store is left to it: references and limits, `settled_after`, cuts, and with them disabling and releasing.
    pub fn apply_to(&self, webhook: &mut Webhook) -> Result<(), StoreError> {
        self.change_guarded(webhook)?;
        self.change(webhook);
        Ok(())
    }

    /// What may be refused of a change.
    fn change_guarded(&self, webhook: &mut Webhook) -> Result<(), StoreError> {
        if let Some(headers) = &self.headers {
            webhook.headers = merged(&webhook.headers, headers)?;
        }
        if let Some(secrets) = &self.secrets {
            rotation::apply(webhook, secrets, self.at)?;
        }
        rotation::wipe_expired(webhook, self.at);
        webhook.login = webhook.login.after(&self.login);
        webhook.login.check_beside(&webhook.headers)?;
        if let Some(metadata) = &self.metadata {
            webhook.metadata = metadata::merged(&webhook.metadata, metadata)?;
        }
        Ok(())
    }

    /// Everything else but disabling, which may write a cut.
    fn change(&self, webhook: &mut Webhook) {
        if let Some(name) = &self.name {
            webhook.name.clone_from(name);
        }
        if let Some(url) = self.url.as_ref().filter(|url| **url != webhook.url) {
            webhook.url.clone_from(url);
            webhook.concurrency = None;
        }
        if let Some(events) = &self.events {
            webhook.events.clone_from(events);
        }
        if let Some(subject) = &self.subject {
            webhook.subject.clone_from(subject);
        }
        if let Some(filter) = &self.filter {
            webhook.filter.clone_from(filter);
        }
        if let Some(retry) = &self.retry {
            webhook.patience.retry.clone_from(retry);
        }
        if let Some(timeout) = self.timeout {
            webhook.patience.timeout = timeout;
        }
        webhook.ceilings = webhook.ceilings.after(self.ceilings);
        webhook.order = webhook.order.after(self.order);
        if let Some(signing_key) = self.signing_key {
            webhook.signing_key = signing_key;
        }
        if self.switch == Some(Switch::Enable) && !webhook.state.is_active() {
            webhook.state = WebhookState::Active;
            webhook.health = Health::default();
        }
        if let Some(hold) = &mut webhook.health.hold {
            hold.probe_at = hold.probe_at.min(self.at);
        }
        webhook.updated_at = self.at;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Active, with the failure count back at zero. Nothing happens to a webhook that is active already.
    Enable,
    /// With a cut where the reason ends what is pending. Nothing happens to a webhook that is disabled already, but for
    /// one that was paused and is now to end: it is disabled for the new reason, with a cut.
    Disable(DisableReason),
}
