//! Short forms of what most cases do first, so that a case shows its point.

use std::ops::Deref;
use std::sync::Arc;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::delivery::{DeliveryState, Due};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::portal_session::PortalSession;
use signalpost_core::principal::Principal;
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::{DisableReason, Webhook};

use super::Harness;
use crate::catalog::{DeleteWebhook, LaneRecord, Switch, UpdateWebhook};
use crate::ledger::{
    AcceptEvent, Accepted, DeliveryRecord, DueOrder, DuePage, Finished, Requeue, RequeueLost, RequeueRule,
    Retain,
};
use crate::portal::OpenPortalSession;
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::Snapshot;
use crate::{Store, StoreError};

/// An open store that is expected to work.
pub(super) struct Kit(Arc<dyn Store>);

impl Deref for Kit {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// An update that changes nothing yet.
pub(super) fn update(workspace: WorkspaceId, webhook: WebhookId, at_ms: i64) -> UpdateWebhook {
    UpdateWebhook::nothing(workspace, webhook, sample::at(at_ms))
}

pub(super) fn delivery(event: i64, webhook: WebhookId) -> DeliveryId {
    DeliveryId { event: EventId::from_raw(event), webhook }
}

/// The kind of error that a verb answered.
///
/// # Panics
/// When it did not fail.
pub(super) fn refusal<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Refusal {
    answer.expect_err("the verb refuses").into()
}

impl Kit {
    pub(super) fn open(harness: &dyn Harness) -> Self {
        Self(harness.open())
    }

    /// Closes the store and opens it again.
    pub(super) async fn reopen(self, harness: &dyn Harness) -> Self {
        self.close().await.expect("the store closes");
        drop(self);
        Self::open(harness)
    }

    pub(super) async fn workspace(&self, n: i64) -> WorkspaceId {
        let workspace = sample::workspace(n);
        let id = workspace.id;
        self.create_workspace(workspace).await.expect("a new workspace");
        id
    }

    pub(super) async fn workspace_with_feed(&self, n: i64) -> WorkspaceId {
        let workspace = sample::workspace_with_feed(n);
        let id = workspace.id;
        self.create_workspace(workspace).await.expect("a new workspace");
        id
    }

    /// A customer's session at the portal, by a link that was made long ago.
    pub(super) async fn let_in(&self, workspace: WorkspaceId, n: i64) -> PortalSession {
        let session = sample::portal_session(workspace, n);
        let hash = CredentialHash::of(&n.to_be_bytes());
        let params = OpenPortalSession { session: session.clone(), hash, link_made_at: sample::at(0) };
        self.open_portal_session(params).await.expect("a new session");
        session
    }

    pub(super) async fn customer(&self, n: i64) -> Option<PortalSession> {
        self.portal_session_by_hash(CredentialHash::of(&n.to_be_bytes())).await.expect("it reads")
    }

    pub(super) async fn subscribe(&self, workspace: WorkspaceId, n: i64) -> WebhookId {
        self.add(sample::webhook(workspace, n)).await
    }

    pub(super) async fn add(&self, webhook: Webhook) -> WebhookId {
        let id = webhook.id;
        self.create_webhook(webhook.into()).await.expect("a new webhook");
        id
    }

    /// A workspace 1 with webhooks 11, 12 and so on.
    pub(super) async fn tenant<const N: usize>(&self) -> (WorkspaceId, [WebhookId; N]) {
        let workspace = self.workspace(1).await;
        let mut webhooks = [WebhookId::from_raw(0); N];
        for (n, webhook) in (11..).zip(&mut webhooks) {
            *webhook = self.subscribe(workspace, n).await;
        }
        (workspace, webhooks)
    }

    pub(super) async fn version(&self, workspace: WorkspaceId) -> u64 {
        self.fan_out(workspace).await.expect("it reads").expect("the workspace exists").version
    }

    /// A sample event at the workspace's current version, not yet stored.
    pub(super) async fn draft(&self, workspace: WorkspaceId, n: i64, targets: &[WebhookId]) -> AcceptEvent {
        sample::event(workspace, n, self.version(workspace).await, targets)
    }

    pub(super) async fn publish(&self, workspace: WorkspaceId, n: i64, targets: &[WebhookId]) -> Accepted {
        let event = self.draft(workspace, n, targets).await;
        self.accept_one(event).await
    }

    pub(super) async fn accept_one(&self, event: AcceptEvent) -> Accepted {
        let mut answers = self.accept(vec![event]).await.expect("the event is accepted");
        assert_eq!(answers.len(), 1, "one answer for one event");
        answers.remove(0)
    }

    /// Everything that a webhook is owed.
    pub(super) async fn owed(&self, webhook: WebhookId) -> Vec<Due> {
        self.due_page(DuePage { webhook, limit: 10_000, order: DueOrder::OLDEST_FIRST })
            .await
            .expect("it reads")
    }

    /// The only thing that a webhook is owed.
    pub(super) async fn owed_one(&self, webhook: WebhookId) -> Due {
        let owed = self.owed(webhook).await;
        assert_eq!(owed.len(), 1, "one delivery is owed: {owed:?}");
        owed[0]
    }

    pub(super) async fn record(&self, finished: Vec<Finished>) {
        let finished = sample::begun_by(&*self.0, finished);
        self.finish(Arc::new(finished)).await.expect("outcomes are recorded");
    }

    pub(super) async fn attempt(&self, workspace: WorkspaceId, due: Due, verdict: Verdict) {
        self.record(vec![sample::finished(workspace, due, verdict)]).await;
    }

    /// One event for one webhook, attempted once with this verdict.
    pub(super) async fn publish_and_attempt(
        &self,
        workspace: WorkspaceId,
        n: i64,
        webhook: WebhookId,
        verdict: Verdict,
    ) -> DeliveryId {
        self.publish(workspace, n, &[webhook]).await;
        let id = delivery(n, webhook);
        let owed = self.owed(webhook).await.into_iter().find(|due| due.id == id);
        self.attempt(workspace, owed.expect("just published"), verdict).await;
        id
    }

    pub(super) async fn look(&self, workspace: WorkspaceId, id: DeliveryId) -> DeliveryRecord {
        self.delivery(workspace, id).await.expect("it reads").expect("the delivery exists")
    }

    pub(super) async fn state(&self, workspace: WorkspaceId, id: DeliveryId) -> DeliveryState {
        self.look(workspace, id).await.summary.state
    }

    pub(super) async fn redeliver(
        &self,
        workspace: WorkspaceId,
        delivery: DeliveryId,
        at_ms: i64,
    ) -> Result<Due, StoreError> {
        let rule = RequeueRule::Ended;
        self.requeue(Requeue { workspace, delivery, at: sample::at(at_ms), rule }).await
    }

    /// Whatever its status.
    pub(super) async fn redeliver_any(
        &self,
        workspace: WorkspaceId,
        delivery: DeliveryId,
        at_ms: i64,
    ) -> Result<Due, StoreError> {
        let rule = RequeueRule::Any;
        self.requeue(Requeue { workspace, delivery, at: sample::at(at_ms), rule }).await
    }

    pub(super) async fn redeliver_lost(
        &self,
        workspace: WorkspaceId,
        deliveries: &[DeliveryId],
        at_ms: i64,
    ) -> usize {
        let params = RequeueLost { workspace, deliveries: deliveries.to_vec(), at: sample::at(at_ms) };
        self.requeue_lost(params).await.expect("the lost ones are requeued")
    }

    pub(super) async fn enable(&self, workspace: WorkspaceId, webhook: WebhookId, at_ms: i64) -> Webhook {
        let params = UpdateWebhook { switch: Some(Switch::Enable), ..update(workspace, webhook, at_ms) };
        self.update_webhook(params).await.expect("the webhook is enabled")
    }

    pub(super) async fn disable(&self, workspace: WorkspaceId, webhook: WebhookId, at_ms: i64) -> Webhook {
        self.switch_off(workspace, webhook, at_ms, DisableReason::ByOwner).await
    }

    pub(super) async fn pause(&self, workspace: WorkspaceId, webhook: WebhookId, at_ms: i64) -> Webhook {
        self.switch_off(workspace, webhook, at_ms, DisableReason::Paused).await
    }

    pub(super) async fn switch_off(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
        at_ms: i64,
        reason: DisableReason,
    ) -> Webhook {
        let switch = Some(Switch::Disable(reason));
        let params = UpdateWebhook { switch, ..update(workspace, webhook, at_ms) };
        self.update_webhook(params).await.expect("the webhook is disabled")
    }

    /// The webhook as it was until then.
    pub(super) async fn delete(&self, workspace: WorkspaceId, webhook: WebhookId, at_ms: i64) -> Webhook {
        let params = DeleteWebhook { workspace, webhook, at: sample::at(at_ms), by: Principal::Operator };
        self.delete_webhook(params).await.expect("the webhook is deleted")
    }

    pub(super) async fn lane_of(&self, webhook: WebhookId) -> LaneRecord {
        self.lane(webhook).await.expect("it reads").expect("the webhook exists")
    }

    /// Retention until there is nothing left to do; what was removed: events, payloads.
    pub(super) async fn retain_all(&self, now_ms: i64, rules: &RetentionRules) -> (u64, u64) {
        let (mut events, mut payloads) = (0, 0);
        for _ in 0..10_000 {
            let params = Retain { now: sample::at(now_ms), rules: rules.clone() };
            let done = self.retain(params).await.expect("retention works");
            (events, payloads) = (events + done.events, payloads + done.payloads);
            if !done.more {
                return (events, payloads);
            }
        }
        panic!("retention does not come to an end");
    }

    pub(super) async fn snapshot(&self) -> Snapshot {
        Snapshot::of(&**self).await.expect("it reads")
    }

    /// Upkeep until there is nothing left to do.
    pub(super) async fn tidy_up(&self, now_ms: i64) {
        for _ in 0..10_000 {
            if !self.upkeep(sample::at(now_ms)).await.expect("upkeep works") {
                return;
            }
        }
        panic!("upkeep does not come to an end");
    }
}
