//! From the words of core to the vendor's JSON.

use signalpost_core::secret::Secret;
use signalpost_core::webhook::{EventSelection, Webhook};

use super::{Instance, wire};

/// `secret` is given once, in the answer to a create.
pub(super) fn webhook(
    workspace: &str,
    webhook: Webhook,
    secret: Option<&Secret>,
    instance: &Instance,
) -> wire::Webhook {
    wire::Webhook {
        workspace_id: workspace.to_owned(),
        webhook_id: webhook.public_id,
        // Both are set whenever a webhook is made here.
        name: webhook.name.unwrap_or_default(),
        agent_id: webhook.subject.unwrap_or_default(),
        active: webhook.state.is_active(),
        secret: secret.map(|secret| secret.expose_text().to_owned()),
        events: match webhook.events {
            EventSelection::All => instance.events.clone(),
            EventSelection::Only(types) => types,
        },
        url: webhook.url,
    }
}
