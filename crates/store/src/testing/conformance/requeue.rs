//! Sending something again: a fresh round with a place of its own in the sequence.

use std::time::Duration;

use signalpost_core::attempt::{Attempt, Verdict};
use signalpost_core::delivery::{CutReason, DeliveryState, Due, Step};
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::DisableReason;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
use crate::ledger::DueLanes;
use crate::testing::notes::{Notes, Told};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

pub async fn an_ended_delivery_gets_a_fresh_round(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for (n, verdict) in [(31, Verdict::Delivered), (32, Verdict::GiveUp)] {
        let id = kit.publish_and_attempt(workspace, n, webhook, verdict).await;
        let last = kit.publish(workspace, n + 100, &[]).await.sequence;
        let due = kit.redeliver(workspace, id, 60).await.expect("it has ended");
        let expected =
            Due { id, due_at: sample::at(60), born: Sequence(last.0 + 1), steps: 2, tries: 0, order: None };
        assert_eq!(due, expected);
        assert_eq!(kit.owed(webhook).await, [due]);
        let record = kit.look(workspace, id).await;
        assert_eq!(record.summary.state, DeliveryState::Pending { next_at: sample::at(60) });
        assert_eq!(record.summary.attempts, 1, "a requeue is no attempt");
        assert_eq!(record.steps[1], Step::Requeued { number: 2, at: sample::at(60), born: due.born });

        kit.attempt(workspace, due, RETRY).await;
        let again = Due { due_at: sample::at(9_000), steps: 3, tries: 1, ..due };
        assert_eq!(kit.owed(webhook).await, [again], "the schedule counts from the start of the round");
        kit.attempt(workspace, again, Verdict::Delivered).await;
        let record = kit.look(workspace, id).await;
        let numbers: Vec<_> = record.steps.iter().map(Step::number).collect();
        assert_eq!((numbers.as_slice(), record.summary.attempts), (&[1, 2, 3, 4][..], 3));
    }
}

pub async fn a_pending_delivery_is_not_requeued(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let id = delivery(31, webhook);
    assert_eq!(refusal(kit.redeliver(workspace, id, 60).await), Refusal::WrongState, "not yet attempted");
    kit.attempt(workspace, kit.owed_one(webhook).await, RETRY).await;
    assert_eq!(refusal(kit.redeliver(workspace, id, 60).await), Refusal::WrongState, "waits for its retry");
    let due = kit.owed_one(webhook).await;
    kit.attempt(workspace, due, Verdict::GiveUp).await;
    let due = kit.redeliver(workspace, id, 60).await.expect("it has ended");
    assert_eq!(refusal(kit.redeliver(workspace, id, 61).await), Refusal::WrongState, "requeued just now");
    assert_eq!(kit.owed(webhook).await, [due], "a refusal changes nothing");
}

pub async fn nothing_is_requeued_for_a_webhook_that_is_off(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let failed = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    kit.publish(workspace, 32, &[webhook]).await;
    kit.disable(workspace, webhook, 50).await;
    for id in [failed, delivery(32, webhook)] {
        assert_eq!(refusal(kit.redeliver(workspace, id, 60).await), Refusal::WrongState, "disabled");
    }
    kit.delete(workspace, webhook, 70).await;
    for id in [failed, delivery(32, webhook)] {
        assert_eq!(refusal(kit.redeliver(workspace, id, 80).await), Refusal::WrongState, "deleted");
    }
    assert_eq!(kit.owed(webhook).await, []);
}

pub async fn what_does_not_exist_is_not_requeued(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    let unknown = WebhookId::from_raw(9);
    for id in [delivery(30, webhook), delivery(31, other), delivery(31, unknown)] {
        assert_eq!(refusal(kit.redeliver(workspace, id, 60).await), Refusal::Missing("delivery"), "{id:?}");
    }
}

pub async fn cuts_before_a_requeue_do_not_touch_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let id = delivery(31, webhook);
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    let due = kit.redeliver(workspace, id, 60).await.expect("it was dropped");
    assert_eq!((due.steps, due.tries), (1, 0), "the requeue is the first step of its history");
    assert_eq!(kit.owed(webhook).await, [due]);
    kit.tidy_up(61).await;
    assert_eq!(kit.owed(webhook).await, [due], "upkeep tells the new round from the one that was cut");
    kit.attempt(workspace, due, RETRY).await;
    let again = kit.owed_one(webhook).await;
    assert_eq!((again.born, again.steps, again.tries), (due.born, 2, 1));

    kit.disable(workspace, webhook, 70).await;
    assert_eq!(kit.owed(webhook).await, [], "a later cut does");
    let dropped = DeliveryState::Dropped { at: sample::at(70), reason: CutReason::Disabled };
    assert_eq!(kit.state(workspace, id).await, dropped);
}

/// A dropped delivery is requeued while its attempt is still in flight: both want the same number in the history.
pub async fn a_requeue_outlives_an_attempt_of_the_round_before(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for (n, verdict) in (31..).zip([Verdict::Delivered, RETRY, Verdict::GiveUp]) {
        kit.publish(workspace, n, &[webhook]).await;
        let in_flight = kit.owed_one(webhook).await;
        kit.disable(workspace, webhook, 50).await;
        kit.enable(workspace, webhook, 51).await;
        let due = kit.redeliver(workspace, in_flight.id, 60).await.expect("it was dropped");
        overtake(&kit, workspace, in_flight, due, verdict).await;
    }
}

/// Ends an attempt whose delivery has begun a new round, and then that round.
async fn overtake(kit: &Kit, workspace: WorkspaceId, in_flight: Due, due: Due, verdict: Verdict) {
    let finished = sample::finished(workspace, in_flight, verdict);
    for pass in ["for the first time", "again after an unknown outcome"] {
        kit.record(vec![finished.clone()]).await;
        assert_eq!(kit.owed(due.id.webhook).await, [due], "{pass}");
        let record = kit.look(workspace, due.id).await;
        let expected = Attempt { number: 2, verdict: Verdict::Superseded, ..finished.attempt.clone() };
        let requeued = Step::Requeued { number: 1, at: due.due_at, born: due.born };
        assert_eq!(record.steps, [requeued, Step::Attempted(expected)], "{pass}");
        assert_eq!(record.summary.state, DeliveryState::Pending { next_at: due.due_at });
        assert_eq!(record.summary.attempts, 1, "it was sent");
    }
    // The attempt that was overtaken has taken the number that the new round was going to have.
    let next = sample::finished(workspace, due, RETRY);
    kit.record(vec![next.clone()]).await;
    let again = Due { due_at: sample::at(9_000), steps: 3, tries: 1, ..due };
    assert_eq!(kit.owed(due.id.webhook).await, [again]);
    kit.record(vec![finished, next]).await;
    assert_eq!(kit.owed(due.id.webhook).await, [again], "both are known");
    kit.attempt(workspace, again, Verdict::Delivered).await;
    let record = kit.look(workspace, due.id).await;
    let numbers: Vec<_> = record.steps.iter().map(Step::number).collect();
    assert_eq!((numbers.as_slice(), kit.owed(due.id.webhook).await), (&[1, 2, 3, 4][..], vec![]));
    assert!(matches!(record.summary.state, DeliveryState::Delivered { .. }));
}

pub async fn a_pending_delivery_may_begin_anew(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    for (n, verdict) in (31..).zip([Verdict::Delivered, RETRY, Verdict::GiveUp]) {
        let last = kit.publish(workspace, n, &[webhook]).await.sequence;
        let in_flight = kit.owed_one(webhook).await;
        // At the very time at which the round before is due.
        let due = kit.redeliver_any(workspace, in_flight.id, n).await.expect("whatever its status");
        let expected =
            Due { due_at: sample::at(n), born: Sequence(last.0 + 1), steps: 1, tries: 0, ..in_flight };
        assert_eq!(
            (due, kit.owed(webhook).await),
            (expected, vec![expected]),
            "one row took the place of the other"
        );
        overtake(&kit, workspace, in_flight, due, verdict).await;
    }
    // One that waits for its retry.
    let id = kit.publish_and_attempt(workspace, 41, webhook, RETRY).await;
    let due = kit.redeliver_any(workspace, id, 60).await.expect("whatever its status");
    assert_eq!((due.due_at, due.steps, due.tries), (sample::at(60), 2, 0));
    assert_eq!(kit.owed(webhook).await, [due]);
}

/// However often it is asked for: a history does not grow by asking.
pub async fn a_round_that_was_not_begun_is_answered_as_it_is(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, held]) = kit.tenant().await;
    let failed = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    kit.publish(workspace, 32, &[held]).await;
    kit.pause(workspace, held, 50).await;
    for id in [failed, delivery(32, held)] {
        let due = kit.redeliver_any(workspace, id, 60).await.expect("whatever its status");
        let notes = Notes::on(&*kit);
        let steps = kit.look(workspace, id).await.steps;
        for at_ms in 61..64 {
            assert_eq!(kit.redeliver_any(workspace, id, at_ms).await.expect("whatever its status"), due);
        }
        assert_eq!((kit.look(workspace, id).await.steps, kit.owed(id.webhook).await), (steps, vec![due]));
        assert_eq!(notes.take(), [], "nobody is told of what they know");
    }
    kit.attempt(workspace, kit.owed_one(webhook).await, RETRY).await;
    let anew = kit.redeliver_any(workspace, failed, 70).await.expect("whatever its status");
    assert_eq!((anew.due_at, anew.steps, anew.tries), (sample::at(70), 4, 0), "it waited for its retry");
}

pub async fn rounds_may_be_overtaken_one_after_the_other(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let mut last = kit.owed_one(webhook).await;
    let mut overtaken = Vec::new();
    for n in 0..3 {
        let due = kit.redeliver_any(workspace, last.id, 60 + n).await.expect("whatever its status");
        overtaken.push(std::mem::replace(&mut last, due));
        for due in overtaken.iter().rev() {
            kit.attempt(workspace, *due, Verdict::Delivered).await;
        }
    }
    assert_eq!(kit.owed(webhook).await, [last]);
    let record = kit.look(workspace, last.id).await;
    assert_eq!((record.steps.len(), record.summary.attempts), (6, 3), "each once");
    kit.attempt(workspace, last, Verdict::GiveUp).await;
    assert!(matches!(kit.state(workspace, last.id).await, DeliveryState::Failed { .. }));
    assert_eq!(kit.owed(webhook).await, []);
}

/// Its health counts all the same: the receiver has failed.
pub async fn an_attempt_that_was_overtaken_changes_the_health(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let in_flight = kit.owed_one(webhook).await;
    kit.redeliver_any(workspace, in_flight.id, 60).await.expect("whatever its status");
    let mut finished = sample::finished(workspace, in_flight, RETRY);
    let disable = Some(DisableReason::Failing);
    finished.health = Some(sample::health(7, disable));
    kit.record(vec![finished]).await;
    let lane = kit.lane_of(webhook).await;
    assert_eq!((lane.webhook.health.consecutive_failures, lane.webhook.state.is_active()), (7, false));
    let dropped = DeliveryState::Dropped { at: sample::at(31), reason: CutReason::Disabled };
    assert_eq!(kit.state(workspace, in_flight.id).await, dropped);
}

pub async fn what_is_requeued_while_a_webhook_is_off_waits(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [dropped, held]) = kit.tenant().await;
    kit.publish(workspace, 31, &[dropped, held]).await;
    let done = kit.publish_and_attempt(workspace, 32, dropped, Verdict::Delivered).await;
    kit.disable(workspace, dropped, 50).await;
    kit.pause(workspace, held, 50).await;
    let mut expected = Vec::new();
    for id in [delivery(31, dropped), done] {
        expected.push(kit.redeliver_any(workspace, id, 60).await.expect("whatever its status"));
    }
    let waits = kit.redeliver_any(workspace, delivery(31, held), 60).await.expect("whatever its status");
    let lanes = DueLanes { after: None, limit: 9 };
    for pass in ["at once", "after upkeep"] {
        assert_eq!(kit.due_lanes(lanes).await.expect("it reads"), [], "{pass}");
        assert_eq!(
            (kit.owed(dropped).await, kit.owed(held).await),
            (expected.clone(), vec![waits]),
            "{pass}"
        );
        let pending = DeliveryState::Pending { next_at: sample::at(60) };
        assert_eq!(kit.state(workspace, done).await, pending, "{pass}");
        kit.tidy_up(61).await;
    }
    kit.enable(workspace, dropped, 70).await;
    kit.enable(workspace, held, 70).await;
    assert_eq!(kit.due_lanes(lanes).await.expect("it reads").len(), 2);
    kit.delete(workspace, held, 80).await;
    assert_eq!(refusal(kit.redeliver_any(workspace, waits.id, 81).await), Refusal::WrongState, "deleted");
}

pub async fn what_is_lost_is_requeued_in_one_call(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let failed = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    let done = kit.publish_and_attempt(workspace, 32, webhook, Verdict::Delivered).await;
    kit.publish(workspace, 33, &[webhook]).await;
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    let last = kit.publish(workspace, 34, &[webhook, other]).await.sequence;
    let deleted = kit.publish_and_attempt(workspace, 35, other, Verdict::GiveUp).await;
    kit.delete(workspace, other, 52).await;
    let notes = Notes::on(&*kit);
    let all = [deleted, delivery(34, other), delivery(34, webhook), delivery(33, webhook), done, failed];
    let unknown = [delivery(36, webhook), delivery(31, other)];
    let asked: Vec<_> = all.into_iter().chain(unknown).collect();
    assert_eq!(kit.redeliver_lost(workspace, &asked, 60).await, 2);
    let due = |n, place, steps| Due {
        id: delivery(n, webhook),
        due_at: sample::at(60),
        born: Sequence(last.0 + place),
        steps,
        tries: 0,
        order: None,
    };
    let (second, first) = (due(31, 3, 2), due(33, 2, 1));
    assert_eq!(notes.take(), [first, second].map(|due| Told::Requeued(due, workspace)));
    assert_eq!(kit.owed(webhook).await[1..], [second, first]);
    assert_eq!(kit.redeliver_lost(workspace, &asked, 61).await, 0, "they are pending now");
    let stranger = kit.workspace(2).await;
    kit.attempt(workspace, second, Verdict::GiveUp).await;
    assert_eq!(kit.redeliver_lost(stranger, &asked, 62).await, 0, "another's are not found");
    assert_eq!(kit.redeliver_lost(workspace, &asked, 63).await, 1, "it has failed again");
    kit.pause(workspace, webhook, 70).await;
    kit.attempt(workspace, first, Verdict::GiveUp).await;
    assert_eq!(kit.redeliver_lost(workspace, &asked, 71).await, 1, "also while it is off");
}

pub async fn what_has_no_payload_any_more_is_not_requeued(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let failed = kit.publish_and_attempt(workspace, 31, webhook, Verdict::GiveUp).await;
    let rules = RetentionRules {
        event_age_max: None,
        payload_age_max: Some(Duration::from_secs(1)),
        bytes_max: None,
    };
    assert_eq!(kit.retain_all(10_000, &rules).await, (0, 1));
    assert_eq!(refusal(kit.redeliver_any(workspace, failed, 10_001).await), Refusal::WrongState);
    assert_eq!(kit.redeliver_lost(workspace, &[failed], 10_001).await, 0);
}

/// Retention looks past what was overtaken as well: the new round is pending, or it has ended.
pub async fn retention_knows_the_round_that_counts(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    kit.publish(workspace, 31, &[webhook]).await;
    let in_flight = kit.owed_one(webhook).await;
    let due = kit.redeliver_any(workspace, in_flight.id, 60).await.expect("whatever its status");
    kit.attempt(workspace, in_flight, Verdict::Delivered).await;
    let rules = RetentionRules {
        event_age_max: Some(Duration::from_secs(1)),
        payload_age_max: None,
        bytes_max: None,
    };
    assert_eq!(kit.retain_all(10_000, &rules).await, (0, 0), "it is pending");
    kit.attempt(workspace, due, Verdict::Delivered).await;
    assert_eq!(kit.retain_all(10_001, &rules).await, (1, 0));
}
