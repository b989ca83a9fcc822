//! Sending something again: a fresh round with a place of its own in the sequence.

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{CutReason, DeliveryState, Due, Step};
use signalpost_core::event::Sequence;
use signalpost_core::id::WebhookId;

use super::Harness;
use super::kit::{Kit, delivery, refusal};
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
        let expected = Due { id, due_at: sample::at(60), born: Sequence(last.0 + 1), steps: 2, tries: 0 };
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
    kit.publish(workspace, 31, &[webhook]).await;
    let in_flight = kit.owed_one(webhook).await;
    kit.disable(workspace, webhook, 50).await;
    kit.enable(workspace, webhook, 51).await;
    let due = kit.redeliver(workspace, in_flight.id, 60).await.expect("it was dropped");
    kit.attempt(workspace, in_flight, Verdict::Delivered).await;
    assert_eq!(kit.owed(webhook).await, [due]);
    let steps = kit.look(workspace, due.id).await.steps;
    assert_eq!(steps, [Step::Requeued { number: 1, at: sample::at(60), born: due.born }]);
}
