//! What is owed: lanes and pages, without what a cut has ended.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{Cut, CutReason, DeliveryState};
use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;

use super::Harness;
use super::kit::{Kit, delivery};
use crate::ledger::{DueLane, DueLanes, DueOrder, DuePage};
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

async fn lanes(kit: &Kit, after: Option<WebhookId>, limit: usize) -> Vec<(WebhookId, Timestamp)> {
    let lanes = kit.due_lanes(DueLanes { after, limit }).await.expect("it reads");
    lanes.into_iter().map(|DueLane { webhook, first_due_at }| (webhook, first_due_at)).collect()
}

pub async fn a_page_is_ordered_by_time_and_then_event(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    for (n, at_ms) in [(31, 500), (32, 400), (33, 400), (35, 300), (34, 300)] {
        let mut event = kit.draft(workspace, n, &[webhook, other]).await;
        event.accepted_at = sample::at(at_ms);
        kit.accept_one(event).await;
    }
    let ordered = async |limit: usize, order| -> Vec<i64> {
        let page = kit.due_page(DuePage { webhook, limit, order }).await.expect("it reads");
        page.iter().map(|due| due.id.event.raw()).collect()
    };
    let ids = async |limit| ordered(limit, DueOrder::OLDEST_FIRST).await;
    let since = |ms| DueOrder::OldestFirst { from: sample::at(ms) };
    let newest = |ms| DueOrder::NewestFirst { until: sample::at(ms) };
    assert_eq!(ordered(9, newest(500)).await, [31, 33, 32, 35, 34]);
    assert_eq!(ordered(2, newest(500)).await, [31, 33], "the last ones");
    assert_eq!(ordered(2, newest(499)).await, [33, 32], "of those that are due");
    assert_eq!(ids(9).await, [34, 35, 32, 33, 31]);
    assert_eq!(ids(3).await, [34, 35, 32], "the earliest ones");
    assert_eq!(
        ordered(2, since(400)).await,
        [32, 33],
        "the earliest ones of those that are due from then on"
    );
    assert_eq!(ordered(9, since(401)).await, [31]);
    assert_eq!(ordered(9, since(501)).await, [0i64; 0]);
    let first = kit.owed(webhook).await[0];
    kit.attempt(workspace, first, Verdict::RetryAt(sample::at(450))).await;
    assert_eq!(ids(9).await, [35, 32, 33, 34, 31], "a retry takes its place by its own time");
    assert_eq!(kit.owed(other).await.len(), 5, "a neighbour's rows are its own");
    assert_eq!(kit.owed(WebhookId::from_raw(9)).await, []);
}

pub async fn lanes_are_listed_by_id_with_their_earliest_time(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    assert_eq!(lanes(&kit, None, 9).await, [], "nothing is owed yet");
    let (workspace, [first, second, third, idle]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let neighbour = kit.subscribe(other, 5).await;
    for (n, at_ms) in [(31, 500), (32, 400)] {
        let mut event = kit.draft(workspace, n, &[third, first]).await;
        event.accepted_at = sample::at(at_ms);
        kit.accept_one(event).await;
    }
    kit.publish(workspace, 33, &[second]).await;
    kit.publish(other, 34, &[neighbour]).await;
    kit.publish_and_attempt(workspace, 35, idle, Verdict::Delivered).await;
    let all = [
        (neighbour, sample::at(34)),
        (first, sample::at(400)),
        (second, sample::at(33)),
        (third, sample::at(400)),
    ];
    assert_eq!(lanes(&kit, None, 9).await, all, "of all workspaces");
    assert_eq!(lanes(&kit, None, 2).await, all[..2]);
    assert_eq!(lanes(&kit, Some(first), 1).await, all[2..3]);
    assert_eq!(lanes(&kit, Some(third), 9).await, []);
    kit.attempt(workspace, kit.owed_one(second).await, RETRY).await;
    assert_eq!(lanes(&kit, Some(first), 1).await, [(second, sample::at(9_000))]);
}

pub async fn what_a_cut_has_ended_is_owed_no_more(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [off, deleted, stays]) = kit.tenant().await;
    for n in [31, 32] {
        kit.publish(workspace, n, &[off, deleted, stays]).await;
    }
    let waiting = kit.owed(off).await[0];
    kit.attempt(workspace, waiting, RETRY).await;
    kit.disable(workspace, off, 50).await;
    kit.delete(workspace, deleted, 51).await;
    for webhook in [off, deleted] {
        assert_eq!(kit.owed(webhook).await, []);
    }
    assert_eq!(lanes(&kit, None, 9).await, [(stays, sample::at(31))]);
    kit.tidy_up(52).await;
    assert_eq!(lanes(&kit, None, 9).await, [(stays, sample::at(31))], "upkeep changes nothing to be seen");
    for n in [31, 32] {
        let dropped = |ms, reason| DeliveryState::Dropped { at: sample::at(ms), reason };
        let id = delivery(n, off);
        assert_eq!(kit.state(workspace, id).await, dropped(50, CutReason::Disabled));
        let id = delivery(n, deleted);
        assert_eq!(kit.state(workspace, id).await, dropped(51, CutReason::Deleted));
    }
}

/// One lane with rows on both sides of a cut, before and after upkeep has removed the dead ones.
pub async fn what_came_after_a_cut_is_owed(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in [31, 32] {
        kit.publish(workspace, n, &[webhook]).await;
    }
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    for n in [61, 62] {
        kit.publish(workspace, n, &[webhook]).await;
    }
    for pass in ["before upkeep", "after upkeep"] {
        let page = kit
            .due_page(DuePage { webhook, limit: 1, order: DueOrder::OLDEST_FIRST })
            .await
            .expect("it reads");
        assert_eq!(page.iter().map(|due| due.id.event.raw()).collect::<Vec<_>>(), [61], "{pass}");
        assert_eq!(kit.owed(webhook).await.len(), 2, "{pass}");
        assert_eq!(lanes(&kit, None, 9).await, [(webhook, sample::at(61))], "{pass}");
        kit.tidy_up(70).await;
    }
}

pub async fn every_cut_stands_at_the_moment_it_was_made(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let first = kit.publish(workspace, 31, &[webhook]).await.sequence;
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    // Not for this webhook, yet a place in the same sequence.
    let second = kit.publish(workspace, 32, &[other]).await.sequence;
    kit.disable(workspace, webhook, 52).await;
    let mut cuts = kit.lane_of(webhook).await.cuts;
    cuts.sort_by_key(|cut| cut.upto);
    let expected = [(first, 50), (second, 52)].map(|(upto, ms)| Cut {
        upto,
        at: sample::at(ms),
        reason: CutReason::Disabled,
    });
    assert_eq!(cuts, expected);
    let dropped = DeliveryState::Dropped { at: sample::at(50), reason: CutReason::Disabled };
    let id = delivery(31, webhook);
    assert_eq!(kit.state(workspace, id).await, dropped, "the first cut ended it");
    kit.delete(workspace, webhook, 53).await;
    assert_eq!(kit.state(workspace, id).await, dropped, "also when more follow");
    assert_eq!(kit.lane_of(other).await.cuts, []);
}

pub async fn upkeep_and_probes_change_nothing_to_be_seen(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    kit.tidy_up(10).await;
    kit.probe(sample::at(10)).await.expect("it can be written to");
    let (workspace, [webhook]) = kit.tenant().await;
    let states = [RETRY, Verdict::Delivered, Verdict::GiveUp];
    for (n, verdict) in (31..).zip(states) {
        kit.publish_and_attempt(workspace, n, webhook, verdict).await;
    }
    let before = kit.snapshot().await;
    kit.tidy_up(100_000_000).await;
    kit.probe(sample::at(100_000_001)).await.expect("it can be written to");
    assert_eq!(before.difference(&kit.snapshot().await), None);
    kit.publish(workspace, 41, &[webhook]).await;
    assert!(before.difference(&kit.snapshot().await).is_some(), "a snapshot tells stores apart");
}
