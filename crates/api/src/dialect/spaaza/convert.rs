//! From the words of core to the vendor's JSON. What is secret is shown, as the vendor's contract has it.

use signalpost_core::error::Error;
use signalpost_core::id::SigningKeyId;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::User;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::{Engine, View};

use super::{Instance, Surface, profile, wire};

/// A chain with the signatures that its webhooks refer to.
pub(super) struct Chain<'a> {
    surface: &'a Surface,
    view: &'a View,
    keys: Vec<SigningKey>,
}

/// Whether an object is there still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Alive,
    Deleted,
}

impl<'a> Chain<'a> {
    /// For these webhooks.
    pub(super) async fn of(
        surface: &'a Surface,
        view: &'a View,
        webhooks: &[Webhook],
    ) -> Result<Self, Error> {
        let keys = if webhooks.iter().any(|webhook| webhook.signing_key.is_some()) {
            surface.engine.list_signing_keys(view.workspace.id).await?
        } else {
            Vec::new()
        };
        Ok(Self { surface, view, keys })
    }

    pub(super) fn webhook(&self, webhook: Webhook) -> Result<wire::Webhook, Error> {
        let signature = webhook.signing_key.map(|id| self.signature(id)).transpose()?;
        let shown = alone(&self.surface.engine, &self.surface.instance, webhook)?;
        Ok(wire::Webhook { webhook_signature: signature.flatten(), ..shown })
    }

    /// Nothing for one that was deleted.
    fn signature(&self, id: SigningKeyId) -> Result<Option<wire::Signature>, Error> {
        let key = self.keys.iter().find(|key| key.id == id);
        key.map(|key| signature(&self.surface.engine, self.view, key, Presence::Alive)).transpose()
    }
}

/// A webhook that was deleted, with whom by and when. Its signature is another's business by then.
pub(super) fn deleted(
    surface: &Surface,
    webhook: Webhook,
    by: &User,
    at: Timestamp,
) -> Result<wire::Webhook, Error> {
    let by = wire::Deleter { name: by.display_name.clone(), user_id: number(&by.public_id)? };
    Ok(wire::Webhook {
        active: false,
        deleted: Some(true),
        deleted_by: Some(by),
        last_modified_date: date(at),
        ..alone(&surface.engine, &surface.instance, webhook)?
    })
}

/// A webhook without its signature.
fn alone(engine: &Engine, instance: &Instance, webhook: Webhook) -> Result<wire::Webhook, Error> {
    let password = engine.reveal_login_password(&webhook)?;
    let kept = |name: &str| {
        let entry = webhook.metadata.iter().find(|(known, _)| known == name);
        entry.map(|(_, value)| value.clone())
    };
    Ok(wire::Webhook {
        active: webhook.state.is_active(),
        applies_legacy_hmac: false,
        campaign_id: kept(profile::CAMPAIGN).and_then(|id| id.parse().ok()),
        created_date: date(webhook.created_at),
        deleted: None,
        deleted_by: None,
        event_name: event_name(&webhook.events),
        event_trigger: (),
        id: number(&webhook.public_id)?,
        identifier_key: webhook.login.user.clone(),
        identifier_secret: password.map(|password| password.expose_text().to_owned()),
        is_default: false,
        last_modified_date: date(webhook.updated_at),
        payload_spaaza_api_version: kept(profile::PAYLOAD_VERSION)
            .unwrap_or_else(|| instance.payload_version.clone()),
        send_from: (),
        task_id: (),
        r#type: profile::HTTPS,
        filter: webhook.filter,
        url: webhook.url,
        webhook_signature: None,
    })
}

pub(super) fn signature(
    engine: &Engine,
    view: &View,
    key: &SigningKey,
    presence: Presence,
) -> Result<wire::Signature, Error> {
    let workspace = &view.workspace;
    Ok(wire::Signature {
        active: presence == Presence::Alive,
        chain: wire::Chain { id: number(&workspace.public_id)?, name: workspace.name.clone() },
        created_date: date(key.created_at),
        deleted: presence == Presence::Deleted,
        id: number(&key.public_id)?,
        last_modified_date: date(key.updated_at),
        value: engine.reveal_signing_key(key)?.expose_text().to_owned(),
    })
}

/// One type, as every webhook that was made here has. The operator can make others.
fn event_name(events: &EventSelection) -> String {
    match events {
        EventSelection::All => "*".to_owned(),
        EventSelection::Only(types) => types.join(","),
    }
}

/// Ids of this dialect are numbers.
pub(super) fn number(id: &str) -> Result<u64, Error> {
    id.parse().map_err(Error::internal)
}

/// In whole seconds, with an offset as the vendor writes it.
fn date(at: Timestamp) -> String {
    let text = at.to_rfc3339_ms();
    format!("{}+00:00", text.split('.').next().unwrap_or_default())
}

/// The other form, of sessions: UTC, without saying so.
pub(super) fn date_of_session(at: Timestamp) -> String {
    let text = at.to_rfc3339_ms();
    text.split('.').next().unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_vendors_two_forms() {
        let at = Timestamp::from_ms(1_781_949_600_999);
        assert_eq!(date(at), "2026-06-20T10:00:00+00:00");
        assert_eq!(date_of_session(at), "2026-06-20 10:00:00");
    }
}
