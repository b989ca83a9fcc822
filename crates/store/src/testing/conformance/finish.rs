//! Recording attempts: what goes, what is owed again, what becomes of the webhook.

use bytes::Bytes;
use signalpost_core::attempt::{Attempt, Failure, Outcome, Timing, Verdict};
use signalpost_core::delivery::{Cut, CutReason, DeliveryState, Due, Step};
use signalpost_core::lane_group::GroupEpoch;
use signalpost_core::webhook::{DisableReason, WebhookState};

use super::Harness;
use super::kit::{Kit, delivery, update};
use crate::catalog::UpdateWebhook;
use crate::ledger::Finished;
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

fn with_health(finished: Finished, consecutive_failures: u32, disable: Option<DisableReason>) -> Finished {
    Finished { health: Some(sample::health(consecutive_failures, disable)), ..finished }
}

pub async fn an_ended_delivery_is_owed_no_more(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let done = kit.publish_and_attempt(workspace, 31, webhook, Verdict::Delivered).await;
    let failed = kit.publish_and_attempt(workspace, 32, webhook, Verdict::GiveUp).await;
    assert_eq!(kit.owed(webhook).await, []);
    assert_eq!(kit.state(workspace, done).await, DeliveryState::Delivered { at: sample::at(31) });
    assert_eq!(kit.state(workspace, failed).await, DeliveryState::Failed { at: sample::at(32) });
}

pub async fn a_retry_is_owed_in_the_same_round(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let mut due = kit.owed_one(webhook).await;
    for (round, due_at) in (1..).zip([sample::at(9_000), sample::at(100), sample::at(100)]) {
        kit.attempt(workspace, due, Verdict::RetryAt(due_at)).await;
        let expected = Due { due_at, steps: round, tries: round, ..due };
        due = kit.owed_one(webhook).await;
        assert_eq!(due, expected);
        let record = kit.look(workspace, due.id).await;
        assert_eq!(record.summary.state, DeliveryState::Pending { next_at: due_at });
        assert_eq!(
            (record.summary.attempts, record.summary.last_outcome),
            (round, Some(Outcome::Status(500)))
        );
    }
    kit.attempt(workspace, due, Verdict::Delivered).await;
    assert_eq!(kit.owed(webhook).await, []);
    let summary = kit.look(workspace, due.id).await.summary;
    assert_eq!((summary.attempts, summary.last_outcome), (4, Some(Outcome::Status(204))));
}

pub async fn an_attempt_is_kept_as_given(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let statuses = [100, 200, 204, 299, 301, 410, 429, 503, 599, 999].map(Outcome::Status);
    let outcomes: Vec<_> = statuses.into_iter().chain(Failure::ALL.map(Outcome::Failed)).collect();
    let mut expected = Vec::new();
    for (n, outcome) in (1..).zip(outcomes) {
        let due = kit.owed_one(webhook).await;
        let us = u64::from(n) << 33;
        let attempt = Attempt {
            number: n,
            at: sample::at(100 + i64::from(n)),
            outcome,
            verdict: Verdict::RetryAt(sample::at(200 + i64::from(n))),
            detail: format!("the {n}th, 🧀 'x'"),
            timing: Timing {
                dns_us: us,
                connect_us: us + 1,
                tls_us: us + 2,
                first_byte_us: us + 3,
                total_us: us + 4,
            },
            request_headers: (0..n).map(|i| (format!("x-{i}"), "a: b\u{e9}".repeat(3))).collect(),
            answer: Bytes::from(vec![u8::try_from(n).expect("small"); 4_096]),
        };
        expected.push(Step::Attempted(attempt.clone()));
        kit.record(vec![Finished {
            workspace,
            due,
            attempt,
            health: None,
            concurrency: None,
            epoch: GroupEpoch::ONLY,
        }])
        .await;
    }
    let due = kit.owed_one(webhook).await;
    let mut last = sample::finished(workspace, due, Verdict::GiveUp);
    last.attempt.answer = Bytes::new();
    last.attempt.request_headers = Vec::new();
    expected.push(Step::Attempted(last.attempt.clone()));
    kit.record(vec![last]).await;
    assert_eq!(kit.look(workspace, due.id).await.steps, expected);
}

pub async fn several_outcomes_are_recorded_in_one_call(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [first, second]) = kit.tenant().await;
    let other = kit.workspace(2).await;
    let neighbour = kit.subscribe(other, 19).await;
    kit.publish(workspace, 31, &[first, second]).await;
    kit.publish(other, 32, &[neighbour]).await;
    let ended = sample::finished(workspace, kit.owed_one(first).await, Verdict::Delivered);
    let retried = sample::finished(workspace, kit.owed_one(second).await, RETRY);
    let again = Due { due_at: sample::at(9_000), steps: 1, tries: 1, ..retried.due };
    let foreign = sample::finished(other, kit.owed_one(neighbour).await, Verdict::GiveUp);
    // The second attempt of a delivery right behind its first.
    let ended_after_all = sample::finished(workspace, again, Verdict::Delivered);
    kit.record(vec![ended, retried, foreign, ended_after_all]).await;
    for webhook in [first, second, neighbour] {
        assert_eq!(kit.owed(webhook).await, []);
    }
    assert_eq!(kit.look(workspace, delivery(31, second)).await.summary.attempts, 2);
    assert_eq!(kit.state(other, delivery(32, neighbour)).await, DeliveryState::Failed { at: sample::at(32) });
    kit.record(Vec::new()).await;
}

pub async fn a_recorded_attempt_is_skipped_as_a_whole(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let finished = with_health(sample::finished(workspace, kit.owed_one(webhook).await, RETRY), 1, None);
    kit.record(vec![finished.clone(), finished.clone()]).await;
    let due = kit.owed_one(webhook).await;
    let record = kit.look(workspace, due.id).await;
    let next = with_health(sample::finished(workspace, due, Verdict::Delivered), 0, None);
    kit.record(vec![finished.clone()]).await;
    assert_eq!((kit.owed_one(webhook).await, &kit.look(workspace, due.id).await), (due, &record));

    kit.record(vec![next]).await;
    // Told once more, and this time of something else: neither the history nor the queue nor the health moves.
    let mut other = with_health(finished, 7, Some(DisableReason::Failing));
    other.attempt.verdict = Verdict::RetryAt(sample::at(1));
    kit.record(vec![other]).await;
    assert_eq!(kit.owed(webhook).await, []);
    assert_eq!(kit.look(workspace, due.id).await.summary.attempts, 2);
    let webhook = kit.lane_of(webhook).await.webhook;
    assert_eq!((webhook.state, webhook.health.consecutive_failures), (WebhookState::Active, 0));
}

pub async fn health_changes_as_told(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let version = kit.version(workspace).await;
    let before = kit.lane_of(webhook).await.webhook;
    kit.publish(workspace, 31, &[webhook, other]).await;
    for failures in [1, 2, u32::MAX, 0] {
        let due = kit.owed_one(webhook).await;
        kit.record(vec![with_health(sample::finished(workspace, due, RETRY), failures, None)]).await;
        let after = kit.lane_of(webhook).await.webhook;
        assert_eq!(after.health.consecutive_failures, failures);
        assert_eq!(
            (after.state, after.updated_at),
            (before.state, before.updated_at),
            "nothing else changes"
        );
    }
    kit.attempt(workspace, kit.owed_one(webhook).await, RETRY).await;
    assert_eq!(kit.lane_of(webhook).await.webhook.health.consecutive_failures, 0, "no change was told");
    assert_eq!(kit.lane_of(other).await.webhook.health.consecutive_failures, 0);
    assert_eq!(kit.version(workspace).await, version, "targets are chosen without regard to health");
}

pub async fn what_a_receiver_bears_is_kept_as_told(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let version = kit.version(workspace).await;
    for (n, told, kept) in
        [(31, None, None), (32, Some(7), Some(7)), (33, None, Some(7)), (34, Some(256), Some(256))]
    {
        kit.publish(workspace, n, &[webhook]).await;
        let finished = sample::finished(workspace, kit.owed_one(webhook).await, Verdict::Delivered);
        kit.record(vec![Finished { concurrency: told, ..finished }]).await;
        assert_eq!(kit.lane_of(webhook).await.webhook.concurrency, kept, "{told:?}");
    }
    assert_eq!(kit.version(workspace).await, version, "targets are chosen without regard to it");
    let known = kit.lane_of(webhook).await.webhook.url;
    for (url, kept) in [(known, Some(256)), ("https://example.org/other".to_owned(), None)] {
        let change = UpdateWebhook { url: Some(url), ..update(workspace, webhook, 50) };
        let changed = kit.update_webhook(change).await.expect("it exists");
        assert_eq!(changed.concurrency, kept, "another receiver has taught nothing");
    }
}

pub async fn an_attempt_can_disable_its_webhook(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let version = kit.version(workspace).await;
    kit.publish(workspace, 31, &[webhook, other]).await;
    let last = kit.publish(workspace, 32, &[webhook]).await;
    let mut finished = sample::finished(workspace, kit.owed(webhook).await[0], RETRY);
    finished.attempt.at = sample::at(70);
    kit.record(vec![with_health(finished, 10, Some(DisableReason::Failing))]).await;

    let lane = kit.lane_of(webhook).await;
    let expected = WebhookState::Disabled { at: sample::at(70), reason: DisableReason::Failing };
    assert_eq!((lane.webhook.state, lane.webhook.health.consecutive_failures), (expected, 10));
    assert_eq!(lane.webhook.updated_at, sample::at(70));
    assert_eq!(lane.cuts, [Cut { upto: last.sequence, at: sample::at(70), reason: CutReason::Disabled }]);
    assert!(kit.version(workspace).await > version, "it must not be chosen any more");
    assert_eq!(kit.owed(webhook).await, [], "neither its own retry nor what waited behind it");
    let dropped = DeliveryState::Dropped { at: sample::at(70), reason: CutReason::Disabled };
    for n in [31, 32] {
        assert_eq!(kit.state(workspace, delivery(n, webhook)).await, dropped);
    }
    assert_eq!(kit.owed(other).await.len(), 1, "other webhooks go on");
}

pub async fn a_disabled_webhook_is_not_disabled_again(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    let off = kit.disable(workspace, webhook, 50).await;
    let version = kit.version(workspace).await;
    let finished = sample::finished(workspace, due, Verdict::GiveUp);
    kit.record(vec![with_health(finished, 10, Some(DisableReason::Failing))]).await;
    let lane = kit.lane_of(webhook).await;
    assert_eq!((lane.webhook.state, lane.webhook.updated_at), (off.state, off.updated_at));
    assert_eq!((lane.webhook.health.consecutive_failures, lane.cuts.len()), (10, 1));
    assert_eq!(kit.version(workspace).await, version);
}

/// An attempt that was in flight when its webhook was switched off.
pub async fn an_attempt_that_ends_after_a_cut_is_not_retried(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for n in [31, 32, 33, 34] {
        kit.publish(workspace, n, &[webhook]).await;
    }
    let in_flight = kit.owed(webhook).await;
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    kit.publish(workspace, 35, &[webhook]).await;
    // The first, and the very last before the cut.
    for (due, verdict) in in_flight.into_iter().zip([RETRY, Verdict::Delivered, Verdict::GiveUp, RETRY]) {
        kit.attempt(workspace, due, verdict).await;
    }
    assert_eq!(kit.owed_one(webhook).await.id, delivery(35, webhook), "only what came after the cut");
    let dropped = DeliveryState::Dropped { at: sample::at(50), reason: CutReason::Disabled };
    for n in [31, 34] {
        assert_eq!(kit.state(workspace, delivery(n, webhook)).await, dropped);
    }
    let done = DeliveryState::Delivered { at: sample::at(32) };
    assert_eq!(kit.state(workspace, delivery(32, webhook)).await, done, "what arrived has arrived");
    let failed = DeliveryState::Failed { at: sample::at(33) };
    assert_eq!(kit.state(workspace, delivery(33, webhook)).await, failed);
    let after = kit.owed_one(webhook).await;
    kit.attempt(workspace, after, RETRY).await;
    assert_eq!(kit.owed_one(webhook).await.tries, 1, "an earlier cut does not touch what came after it");
}

pub async fn an_attempt_that_ends_after_a_delete_is_recorded(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let due = kit.owed_one(webhook).await;
    kit.delete(workspace, webhook, 50).await;
    let version = kit.version(workspace).await;
    let finished = with_health(sample::finished(workspace, due, RETRY), 1, Some(DisableReason::Gone));
    kit.record(vec![finished.clone()]).await;
    assert_eq!(kit.owed(webhook).await, []);
    let record = kit.look(workspace, due.id).await;
    assert_eq!(record.steps, [Step::Attempted(finished.attempt)]);
    let dropped = DeliveryState::Dropped { at: sample::at(50), reason: CutReason::Deleted };
    assert_eq!(record.summary.state, dropped);
    assert_eq!(kit.version(workspace).await, version, "a deleted webhook has no health");
}
