//! Sending deliveries once more.

use std::sync::{Mutex, PoisonError};

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_store::ledger::{ListDeliveries, Requeue, RequeueLost, RequeueRule};
use signalpost_store::{Done, Effect};

use crate::Engine;
use crate::directory::View;
use crate::id_map::IdSet;
use crate::once::Keep;

/// Webhooks whose history is being walked for what they have lost. A second walk beside the first would find the same
/// and cost the store's readers as much again.
#[derive(Default)]
pub(crate) struct Walks(Mutex<IdSet<WebhookId>>);

/// One of them, until it is dropped.
struct Walk<'a> {
    walks: &'a Walks,
    webhook: WebhookId,
}

impl Walks {
    /// `Conflict` while there is one of this webhook.
    fn begin(&self, webhook: WebhookId) -> Result<Walk<'_>, Error> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(webhook) {
            return Ok(Walk { walks: self, webhook });
        }
        let message =
            "what the webhook has lost is being sent once more already; ask again when that call has ended";
        Err(Error::new(ErrorCode::Conflict, message))
    }
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        self.walks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.webhook);
    }
}

impl Engine {
    /// Owes a delivery once more, with a fresh schedule. `Conflict` while it is pending, when its webhook is deleted or
    /// disabled, or when its event's payload was removed.
    pub async fn redeliver(
        &self,
        public_id: &str,
        keep: Option<Keep<'_, ()>>,
    ) -> Result<Done<(), Vec<u8>>, Error> {
        let (delivery, workspace) = self.owned_delivery(public_id).await?;
        let (at, rule) = (self.clock.now(), RequeueRule::Ended);
        let effect = Effect::Requeue(Requeue { workspace, delivery, at, rule });
        Ok(self.carry_out(Some(workspace), effect, &(), keep.as_ref()).await?)
    }

    /// Owes a delivery of this webhook once more, with a fresh schedule, whatever its status: one that is pending begins
    /// anew. While the webhook is disabled it waits until that is switched on. `NotFound` also for a delivery of another
    /// webhook; `Conflict` when its event's payload was removed.
    pub async fn redeliver_one(&self, view: &View, webhook: &str, delivery: &str) -> Result<(), Error> {
        let workspace = view.workspace.id;
        let webhook = self.webhook(workspace, webhook).await?.id;
        let delivery = DeliveryId::from_public(delivery).filter(|delivery| delivery.webhook == webhook);
        let delivery = delivery.ok_or_else(|| Error::not_found("delivery"))?;
        let (at, rule) = (self.clock.now(), RequeueRule::Any);
        self.store.requeue(Requeue { workspace, delivery, at, rule }).await?;
        Ok(())
    }

    /// As [`Self::redeliver_one`] for every delivery of this webhook that failed, or was dropped when the webhook was
    /// disabled, newest first. How many there were. Those whose payload was removed are passed over.
    ///
    /// It takes a page at a time. After an error a part may be done; the same call goes on with the rest. `Conflict`
    /// while such a call is under way.
    pub async fn redeliver_lost(&self, view: &View, webhook: &str) -> Result<u64, Error> {
        let workspace = view.workspace.id;
        let webhook = self.webhook(workspace, webhook).await?.id;
        let _walk = self.walks.begin(webhook)?;
        let (mut requeued, mut before) = (0, None);
        loop {
            let (lost, next) = self.lost_page(workspace, webhook, before).await?;
            if !lost.is_empty() {
                let params = RequeueLost { workspace, deliveries: lost, at: self.clock.now() };
                let count = self.store.requeue_lost(params).await?;
                requeued += u64::try_from(count).expect("a page's rows");
            }
            before = next;
            if before.is_none() {
                return Ok(requeued);
            }
        }
    }

    /// What is lost among the deliveries of one page, and where the next one starts.
    async fn lost_page(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        before: Option<DeliveryId>,
    ) -> Result<(Vec<DeliveryId>, Option<DeliveryId>), Error> {
        let params = ListDeliveries {
            workspace,
            webhook: Some(webhook),
            event: None,
            status: None,
            before,
            limit: PAGE_ROWS_MAX,
        };
        let page = self.store.list_deliveries(params).await?;
        let lost = page.rows.iter().filter(|delivery| delivery.state.is_lost());
        Ok((lost.map(|delivery| delivery.id).collect(), page.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_walked_once_at_a_time() {
        let walks = Walks::default();
        let [first, other] = [1, 2].map(WebhookId::from_raw);
        let walk = walks.begin(first).expect("the first");
        assert_eq!(walks.begin(first).err().map(|error| error.code), Some(ErrorCode::Conflict));
        assert!(walks.begin(other).is_ok());
        drop(walk);
        assert!(walks.begin(first).is_ok());
    }
}
