//! From the words of core to the vendor's JSON. What is secret is shown, as the vendor's contract has it.

use std::collections::{HashMap, HashSet};

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
    signatures: HashMap<SigningKeyId, wire::Signature>,
}

/// Whether an object is there still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Alive,
    Deleted,
}

impl<'a> Chain<'a> {
    /// For these webhooks.
    pub(super) async fn of(surface: &'a Surface, view: &View, webhooks: &[Webhook]) -> Result<Self, Error> {
        let referred: HashSet<SigningKeyId> =
            webhooks.iter().filter_map(|webhook| webhook.signing_key).collect();
        let mut signatures = HashMap::with_capacity(referred.len());
        if !referred.is_empty() {
            let keys = surface.engine.list_signing_keys(view.workspace.id).await?;
            for key in keys.iter().filter(|key| referred.contains(&key.id)) {
                signatures.insert(key.id, signature(&surface.engine, view, key, Presence::Alive)?);
            }
        }
        Ok(Self { surface, signatures })
    }

    /// For a webhook that can have no signature but this.
    pub(super) fn with(surface: &'a Surface, signature: Option<Opened>) -> Self {
        let signatures = signature.into_iter().map(|Opened { id, shown }| (id, shown)).collect();
        Self { surface, signatures }
    }

    /// Whether everything is here that this webhook is shown with.
    pub(super) fn knows(&self, webhook: &Webhook) -> bool {
        webhook.signing_key.is_none_or(|id| self.signatures.contains_key(&id))
    }

    /// No signature for one that was deleted.
    pub(super) fn webhook(&self, webhook: Webhook) -> Result<wire::Webhook, Error> {
        let webhook_signature = webhook.signing_key.and_then(|id| self.signatures.get(&id).cloned());
        let shown = alone(&self.surface.engine, &self.surface.instance, webhook)?;
        Ok(wire::Webhook { webhook_signature, ..shown })
    }
}

/// A signature that was read, with its value.
pub(super) struct Opened {
    pub(super) id: SigningKeyId,
    pub(super) shown: wire::Signature,
}

/// A webhook that is about to be deleted, as it is shown then. Its signature is another's business by then.
pub(super) fn leaving(surface: &Surface, webhook: Webhook, by: &User) -> Result<wire::Webhook, Error> {
    let by = wire::Deleter { name: by.display_name.clone(), user_id: number(&by.public_id)? };
    Ok(wire::Webhook {
        active: false,
        deleted: Some(true),
        deleted_by: Some(by),
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
        event_name: event_name(&webhook.events)?,
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

/// One type, as every webhook of a chain has: nobody else makes any.
fn event_name(events: &EventSelection) -> Result<String, Error> {
    match events {
        EventSelection::Only(types) if types.len() == 1 => Ok(types[0].clone()),
        EventSelection::Only(_) | EventSelection::All => {
            Err(Error::internal("a webhook of a chain has not one event type"))
        }
    }
}

/// Ids of this dialect are numbers.
pub(super) fn number(id: &str) -> Result<u64, Error> {
    id.parse().map_err(Error::internal)
}

/// In whole seconds, with an offset as the vendor writes it.
pub(super) fn date(at: Timestamp) -> String {
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
