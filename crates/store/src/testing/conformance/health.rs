//! Pauses by the engine: what is held, how they end, and what becomes of what was held.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{CutReason, DeliveryState, Step};
use signalpost_core::health::{Health, Hold, ReleaseOrder};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::webhook::Webhook;

use super::Harness;
use super::kit::Kit;
use crate::catalog::{CloseWorkspace, UpdateWebhook};
use crate::ledger::{Backlog, Finished, HealthChange};
use crate::testing::sample;

const HOLD: Hold = Hold { since: sample::at(500), probes: 2, probe_at: sample::at(900) };

fn paused() -> Health {
    Health { consecutive_failures: 60, failing_since: Some(sample::at(40)), hold: Some(HOLD) }
}

fn told(health: Health, backlog: Backlog) -> Option<HealthChange> {
    Some(HealthChange { health, disable: None, backlog })
}

async fn paused_webhook(kit: &Kit, workspace: WorkspaceId, n: i64) -> WebhookId {
    kit.add(Webhook { health: paused(), ..sample::webhook(workspace, n) }).await
}

async fn delivery(kit: &Kit, workspace: WorkspaceId, n: i64, webhook: WebhookId) -> DeliveryId {
    kit.publish(workspace, n, &[webhook]).await;
    DeliveryId { event: EventId::from_raw(n), webhook }
}

pub async fn a_probe_counts_as_no_try(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let id = delivery(&kit, workspace, 31, webhook).await;
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::RetryAt(sample::at(400))).await;
    let before = kit.owed_one(webhook).await;
    let held = Verdict::HeldUntil(HOLD.probe_at);
    let probe =
        Finished { health: told(paused(), Backlog::Kept), ..sample::finished(workspace, before, held) };
    kit.record(vec![probe]).await;
    let after = kit.owed_one(webhook).await;
    assert_eq!((after.tries, after.steps, after.due_at), (before.tries, before.steps + 1, HOLD.probe_at));
    assert_eq!(kit.state(workspace, id).await, DeliveryState::Pending { next_at: HOLD.probe_at });
    assert_eq!(kit.lane_of(webhook).await.webhook.health, paused());
    let steps = kit.look(workspace, id).await.steps;
    let verdicts = steps.iter().map(|step| match step {
        Step::Attempted(attempt) => Some(attempt.verdict),
        Step::Requeued { .. } => None,
    });
    assert_eq!(verdicts.last(), Some(Some(held)));
}

pub async fn a_release_ends_a_pause_and_may_skip_what_was_held(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for (n, release) in (11..).zip(ReleaseOrder::ALL) {
        let webhook = paused_webhook(&kit, workspace, n).await;
        let id = delivery(&kit, workspace, n + 100, webhook).await;
        let nothing = UpdateWebhook::nothing(workspace, webhook, sample::at(700));
        let update = UpdateWebhook { release: Some(release), ..nothing };
        let after = kit.update_webhook(update.clone()).await.expect("it exists");
        assert_eq!(after.health, Health::default());
        let state = kit.state(workspace, id).await;
        if release == ReleaseOrder::Skip {
            let dropped = DeliveryState::Dropped { at: sample::at(700), reason: CutReason::Skipped };
            assert_eq!((state, kit.owed(webhook).await.len()), (dropped, 0));
        } else {
            assert_eq!((state.is_lost(), kit.owed(webhook).await.len()), (false, 1), "{release:?}");
        }
        kit.publish(workspace, n + 200, &[webhook]).await;
        let owed = kit.owed(webhook).await.len();
        kit.update_webhook(update).await.expect("it exists");
        assert_eq!(kit.owed(webhook).await.len(), owed, "one that is not paused has nothing to skip");
    }
}

pub async fn the_first_success_may_skip_what_was_held(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let webhook = paused_webhook(&kit, workspace, 11).await;
    let probed = delivery(&kit, workspace, 31, webhook).await;
    let probe = kit.owed_one(webhook).await;
    let held = delivery(&kit, workspace, 32, webhook).await;
    let mut success = sample::finished(workspace, probe, Verdict::Delivered);
    success.attempt.at = sample::at(910);
    kit.record(vec![Finished { health: told(Health::default(), Backlog::Skipped), ..success }]).await;
    assert_eq!(kit.state(workspace, probed).await, DeliveryState::Delivered { at: sample::at(910) });
    let dropped = DeliveryState::Dropped { at: sample::at(910), reason: CutReason::Skipped };
    assert_eq!(kit.state(workspace, held).await, dropped);
    assert!(kit.state(workspace, held).await.is_lost(), "it can be sent once more");
    let next = delivery(&kit, workspace, 33, webhook).await;
    assert_eq!(kit.state(workspace, next).await, DeliveryState::Pending { next_at: sample::at(33) });
}

pub async fn a_change_brings_the_next_probe_forward(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let webhook = paused_webhook(&kit, workspace, 11).await;
    for (at_ms, expected_ms) in [(950, 900), (600, 600)] {
        let nothing = UpdateWebhook::nothing(workspace, webhook, sample::at(at_ms));
        let after = kit.update_webhook(nothing).await.expect("it exists").health.hold;
        assert_eq!(after, Some(Hold { probe_at: sample::at(expected_ms), ..HOLD }));
    }
}

pub async fn a_last_event_is_not_held(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let farewell = kit.draft(workspace, 31, &[webhook]).await;
    kit.close_workspace(CloseWorkspace { farewell }).await.expect("it exists");
    let held = sample::finished(workspace, kit.owed_one(webhook).await, Verdict::HeldUntil(HOLD.probe_at));
    kit.record(vec![Finished { health: told(paused(), Backlog::Kept), ..held }]).await;
    assert_eq!(kit.lane(webhook).await.expect("it reads"), None, "nobody waits for its customer any more");
    assert_eq!(kit.owed(webhook).await.len(), 0);
}
