//! Making, changing and ending subscriptions.

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{EVENT_TYPE_CHARS_MAX, WEBHOOK_EVENTS_MAX};
use signalpost_core::profile::Profile;
use signalpost_core::seal::Place;
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{DisableReason, EventSelection, SECRET_FIELD, Webhook, WebhookState};
use signalpost_core::workspace::check_name;
use signalpost_store::catalog::{DeleteWebhook, ListWebhooks, Switch, UpdateWebhook, WebhookPage};
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::once::{Keep, NotDone};
use crate::workspaces::MINTS_MAX;

#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub name: Option<String>,
    pub url: TargetUrl,
    pub events: EventSelection,
    pub subject: Option<String>,
}

/// A webhook with the only sight of its secret.
#[derive(Debug)]
pub struct IssuedWebhook {
    pub webhook: Webhook,
    pub secret: Secret,
}

/// `None` leaves a property as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    pub name: Option<String>,
    pub url: Option<TargetUrl>,
    pub events: Option<EventSelection>,
    /// `Some(None)` removes the binding to a subject.
    pub subject: Option<Option<String>>,
    pub active: Option<Activity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Paused,
}

impl Engine {
    /// `Invalid` for properties that the dialect does not permit. The webhook gets events accepted from now on.
    pub async fn create_webhook(
        &self,
        view: &View,
        new: NewWebhook,
        keep: Option<Keep<'_, IssuedWebhook>>,
    ) -> Result<Done<IssuedWebhook, Vec<u8>>, Error> {
        let profile = &view.profile;
        check(profile, new.name.as_deref(), Some(&new.events), new.subject.as_deref())?;
        let (id, now) = (WebhookId::from_raw(self.mint_id()), self.clock.now());
        let secret = self.mint_secret(profile.secret);
        let place = secret_place(view.workspace.id, id);
        let webhook = Webhook {
            id,
            workspace: view.workspace.id,
            public_id: self.mint_text(&profile.webhook_id),
            name: new.name,
            url: new.url.as_str().to_owned(),
            events: new.events,
            subject: new.subject,
            state: WebhookState::Active,
            secret: Some(self.keyring.seal(place, &secret, self.random.as_ref())),
            consecutive_failures: 0,
            created_at: now,
            updated_at: now,
        };
        let mut issued = IssuedWebhook { webhook, secret };
        for _ in 0..MINTS_MAX {
            let effect = Effect::CreateWebhook(Box::new(issued.webhook.clone()));
            match self.carry_out(Some(view.workspace.id), effect, &issued, keep.as_ref()).await {
                Ok(done) => {
                    self.directory.forget(view.workspace.id);
                    return Ok(done.map_now(|()| issued));
                }
                Err(NotDone::Refused(StoreError::Taken(_))) => {
                    issued.webhook.public_id = self.mint_text(&profile.webhook_id);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorCode::Internal, "no free webhook id was found"))
    }

    pub async fn webhook(&self, workspace: WorkspaceId, public_id: &str) -> Result<Webhook, Error> {
        let found = self.store.webhook(workspace, public_id.to_owned()).await?;
        found.ok_or_else(|| Error::not_found("webhook"))
    }

    /// Newest first.
    pub async fn list_webhooks(&self, params: ListWebhooks) -> Result<WebhookPage, Error> {
        Ok(self.store.list_webhooks(params).await?)
    }

    /// When this returns no attempt starts under the old properties. Pausing drops what was pending, on record.
    pub async fn update_webhook(
        &self,
        view: &View,
        public_id: &str,
        change: WebhookChange,
    ) -> Result<Webhook, Error> {
        let subject = change.subject.as_ref().and_then(Option::as_deref);
        check(&view.profile, change.name.as_deref(), change.events.as_ref(), subject)?;
        let workspace = view.workspace.id;
        let webhook = self.webhook(workspace, public_id).await?.id;
        let updated = self.store.update_webhook(UpdateWebhook {
            workspace,
            webhook,
            at: self.clock.now(),
            name: change.name,
            url: change.url.map(|url| url.as_str().to_owned()),
            events: change.events,
            subject: change.subject,
            switch: change.active.map(|activity| match activity {
                Activity::Active => Switch::Enable,
                Activity::Paused => Switch::Disable(DisableReason::ByOwner),
            }),
        });
        let updated = updated.await;
        self.apply_change(workspace, webhook).await;
        Ok(updated?)
    }

    /// When this returns no attempt to it starts any more; what was pending is dropped, on record.
    pub async fn delete_webhook(&self, workspace: WorkspaceId, public_id: &str) -> Result<(), Error> {
        let webhook = self.webhook(workspace, public_id).await?.id;
        let deleted =
            self.store.delete_webhook(DeleteWebhook { workspace, webhook, at: self.clock.now() }).await;
        self.apply_change(workspace, webhook).await;
        Ok(deleted?)
    }

    /// Returns when nothing starts under what was known of the webhook. Also after a failure: the store may have made
    /// the change and lost the answer, and a caller who asks again is told that there is nothing left to do.
    async fn apply_change(&self, workspace: WorkspaceId, webhook: WebhookId) {
        self.directory.forget(workspace);
        self.doorbell.reload(webhook).await;
    }
}

/// Where a webhook's secret is sealed.
pub(crate) fn secret_place(workspace: WorkspaceId, webhook: WebhookId) -> Place {
    Place { workspace: workspace.raw(), object: webhook.raw(), field: SECRET_FIELD }
}

fn check(
    profile: &Profile,
    name: Option<&str>,
    events: Option<&EventSelection>,
    subject: Option<&str>,
) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    errors.take("name", name.map_or(Ok(()), check_name));
    if let Some(EventSelection::Only(types)) = events {
        errors.take("events", check_selection(profile, types));
    }
    errors.take("subject", subject.map_or(Ok(()), |subject| profile.check_subject(Some(subject))));
    errors.into_result()
}

fn check_selection(profile: &Profile, types: &[String]) -> Result<(), String> {
    if types.is_empty() {
        return Err("must name at least one event type".to_owned());
    }
    if types.len() > WEBHOOK_EVENTS_MAX {
        return Err(format!("may name at most {WEBHOOK_EVENTS_MAX} event types"));
    }
    for event_type in types {
        let shown: String = event_type.chars().take(EVENT_TYPE_CHARS_MAX).collect();
        profile.check_type(event_type).map_err(|problem| format!("`{shown}` {problem}"))?;
    }
    Ok(())
}
