//! A webhook that is paused: nothing is to be sent, and what was pending waits.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{Cut, CutReason, DeliveryState};
use signalpost_core::id::WebhookId;
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::{DisableReason, WebhookState};

use super::Harness;
use super::kit::{Kit, delivery};
use crate::ledger::DueLanes;
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

async fn lanes(kit: &Kit) -> Vec<WebhookId> {
    let lanes = kit.due_lanes(DueLanes { after: None, limit: 9 }).await.expect("it reads");
    lanes.into_iter().map(|lane| lane.webhook).collect()
}

pub async fn what_is_pending_outlives_a_pause(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    for n in [31, 32, 33] {
        kit.publish(workspace, n, &[webhook, other]).await;
    }
    let [in_flight, waits, fresh] = kit.owed(webhook).await[..] else { panic!("three are owed") };
    kit.attempt(workspace, waits, RETRY).await;
    let version = kit.version(workspace).await;
    let off = kit.pause(workspace, webhook, 50).await;
    let expected = WebhookState::Disabled { at: sample::at(50), reason: DisableReason::Paused };
    assert_eq!((off.state, off.updated_at), (expected, sample::at(50)));
    assert_eq!(kit.lane_of(webhook).await.webhook.state, expected);
    assert!(kit.version(workspace).await > version, "it must not be chosen any more");
    assert_eq!(kit.lane_of(webhook).await.cuts, []);
    assert_eq!(lanes(&kit).await, [other], "nothing may be sent to it");

    kit.attempt(workspace, in_flight, RETRY).await;
    kit.tidy_up(60).await;
    let owed = kit.owed(webhook).await;
    let ids: Vec<_> = owed.iter().map(|due| due.id).collect();
    assert_eq!(ids, [fresh.id, in_flight.id, waits.id], "a retry of what was in flight stays owed too");
    for due in &owed {
        let pending = DeliveryState::Pending { next_at: due.due_at };
        assert_eq!(kit.state(workspace, due.id).await, pending);
    }
    let on = kit.enable(workspace, webhook, 70).await;
    assert_eq!((on.state, on.health.consecutive_failures), (WebhookState::Active, 0));
    assert_eq!((lanes(&kit).await, kit.owed(webhook).await), (vec![webhook, other], owed));
}

pub async fn lanes_are_found_behind_paused_ones(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhooks) = kit.tenant::<5>().await;
    kit.publish(workspace, 31, &webhooks).await;
    for webhook in &webhooks[..4] {
        kit.pause(workspace, *webhook, 50).await;
    }
    let first = kit.due_lanes(DueLanes { after: None, limit: 1 }).await.expect("it reads");
    assert_eq!(first.iter().map(|lane| lane.webhook).collect::<Vec<_>>(), webhooks[4..]);
}

pub async fn a_pause_can_come_to_an_end_with_a_cut(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [failing, by_owner, deleted]) = kit.tenant().await;
    kit.publish(workspace, 31, &[failing, by_owner, deleted]).await;
    let last = kit.publish(workspace, 32, &[failing, by_owner, deleted]).await.sequence;
    let in_flight = kit.owed(failing).await[0];
    for webhook in [failing, by_owner, deleted] {
        kit.pause(workspace, webhook, 50).await;
    }
    let mut finished = sample::finished(workspace, in_flight, RETRY);
    finished.attempt.at = sample::at(60);
    let disable = Some(DisableReason::Failing);
    finished.health = Some(sample::health(10, disable));
    kit.record(vec![finished]).await;
    kit.switch_off(workspace, by_owner, 60, DisableReason::ByOwner).await;
    kit.delete(workspace, deleted, 60).await;
    for (webhook, reason) in [(failing, DisableReason::Failing), (by_owner, DisableReason::ByOwner)] {
        let lane = kit.lane_of(webhook).await;
        assert_eq!(lane.webhook.state, WebhookState::Disabled { at: sample::at(60), reason });
        assert_eq!(lane.cuts, [Cut { upto: last, at: sample::at(60), reason: CutReason::Disabled }]);
    }
    for (webhook, reason) in
        [(failing, CutReason::Disabled), (by_owner, CutReason::Disabled), (deleted, CutReason::Deleted)]
    {
        assert_eq!(kit.owed(webhook).await, []);
        for n in [31, 32] {
            let dropped = DeliveryState::Dropped { at: sample::at(60), reason };
            assert_eq!(kit.state(workspace, delivery(n, webhook)).await, dropped);
        }
    }
}

pub async fn what_is_off_is_not_paused(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let paused = kit.pause(workspace, webhook, 50).await;
    assert_eq!(kit.pause(workspace, webhook, 51).await.state, paused.state, "it was paused: nothing happens");
    kit.enable(workspace, webhook, 52).await;
    let off = kit.disable(workspace, webhook, 53).await;
    assert_eq!(kit.pause(workspace, webhook, 54).await.state, off.state, "it was off: nothing happens");
    assert_eq!(kit.lane_of(webhook).await.cuts.len(), 1);
}

pub async fn retention_keeps_what_a_pause_holds(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    kit.pause(workspace, webhook, 50).await;
    let rules = RetentionRules {
        event_age_max: Some(Duration::from_secs(1)),
        payload_age_max: Some(Duration::from_secs(1)),
        bytes_max: None,
    };
    assert_eq!(kit.retain_all(100_000, &rules).await, (0, 0));
    kit.enable(workspace, webhook, 100_001).await;
    kit.attempt(workspace, kit.owed_one(webhook).await, Verdict::Delivered).await;
    assert_eq!(kit.retain_all(100_002, &rules).await, (1, 0));
}

pub async fn a_pause_outlives_a_restart(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    kit.pause(workspace, webhook, 50).await;
    let kit = kit.reopen(harness).await;
    assert_eq!(lanes(&kit).await, []);
    kit.enable(workspace, webhook, 51).await;
    assert_eq!((lanes(&kit).await, kit.owed(webhook).await.len()), (vec![webhook], 1));
}
