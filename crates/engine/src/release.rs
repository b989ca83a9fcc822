//! Ending a pause by the engine before its receiver answers a probe.

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::health::ReleaseOrder;
use signalpost_core::webhook::Webhook;
use signalpost_store::catalog::UpdateWebhook;

use crate::Engine;
use crate::directory::View;

impl Engine {
    /// Sends what was held at once, in this order, or in that of the workspace. [`ErrorCode::Conflict`] when the webhook is not
    /// paused by the engine.
    pub async fn release_webhook(
        &self,
        view: &View,
        public_id: &str,
        order: Option<ReleaseOrder>,
    ) -> Result<Webhook, Error> {
        let workspace = view.workspace.id;
        let webhook = self.webhook(workspace, public_id).await?;
        if webhook.health.hold.is_none() {
            let sentence = "the webhook is not paused by the engine, so that nothing is held for it";
            return Err(Error::new(ErrorCode::Conflict, sentence));
        }
        let release = Some(order.unwrap_or_else(|| view.policy().release));
        let nothing = UpdateWebhook::nothing(workspace, webhook.id, self.clock.now());
        self.change_webhook(UpdateWebhook { release, ..nothing }).await
    }
}
