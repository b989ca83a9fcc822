//! From the words of core to the vendor's JSON.

use signalpost_core::webhook::{DisableReason, EventSelection, Webhook, WebhookState};

use super::wire::{self, Named};
use super::{Instance, profile};

pub(super) fn webhook(webhook: Webhook, instance: &Instance) -> wire::Webhook {
    let disabled = match webhook.state {
        WebhookState::Active => None,
        WebhookState::Disabled { at, reason } => Some((at, reason)),
    };
    wire::Webhook {
        id: webhook.public_id,
        url: webhook.url,
        event_types: match webhook.events {
            EventSelection::All => instance.events.iter().map(|event_type| event_type.name.clone()).collect(),
            EventSelection::Only(types) => types,
        },
        status: if disabled.is_none() { wire::ACTIVE } else { wire::DISABLED },
        created_at: webhook.created_at.to_rfc3339_ms(),
        consecutive_failures: instance.shows_failures.then_some(webhook.health.consecutive_failures),
        disabled_at: disabled.map(|(at, _)| at.to_rfc3339_ms()),
        disabled_reason: disabled.map(|(_, reason)| reason_for(reason)),
    }
}

/// The webhook under the name that answers have for it.
pub(super) fn named(shown: Webhook, instance: &Instance) -> Named<'_, wire::Webhook> {
    Named(&instance.object, webhook(shown, instance))
}

const fn reason_for(reason: DisableReason) -> &'static str {
    match reason {
        DisableReason::ByOwner | DisableReason::Paused => profile::BY_OWNER,
        DisableReason::Failing | DisableReason::Gone => profile::FAILING,
    }
}
