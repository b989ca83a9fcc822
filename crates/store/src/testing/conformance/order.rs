//! Order by key: who is owed, who is held, and what lets them go.

use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{DeliveryState, DeliveryStatus, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::order::{OnExhausted, OrderChange, OrderKey, OrderPlace, OrderRule};
use signalpost_core::retention::RetentionRules;
use signalpost_core::webhook::Webhook;

use super::Harness;
use super::kit::{Kit, delivery, update};
use crate::catalog::UpdateWebhook;
use crate::ledger::{Accepted, DueLanes};
use crate::testing::notes::{Notes, Told};
use crate::testing::sample;

const RETRY: Verdict = Verdict::RetryAt(sample::at(9_000));

/// A workspace 1 with the webhook 11, which keeps an order.
async fn ordered(kit: &Kit, on_exhausted: OnExhausted) -> (WorkspaceId, WebhookId) {
    let workspace = kit.workspace(1).await;
    let order = OrderRule { by_key: true, on_exhausted };
    (workspace, kit.add(Webhook { order, ..sample::webhook(workspace, 11) }).await)
}

async fn publish(kit: &Kit, workspace: WorkspaceId, n: i64, webhook: WebhookId, key: &str) -> Accepted {
    let mut event = kit.draft(workspace, n, &[webhook]).await;
    event.content.ordering_key = Some(key.to_owned());
    event.ordered = vec![webhook];
    kit.accept_one(event).await
}

async fn owed(kit: &Kit, webhook: WebhookId) -> Vec<i64> {
    kit.owed(webhook).await.iter().map(|due| due.id.event.raw()).collect()
}

/// Attempts the event that is owed to the webhook.
async fn attempt(kit: &Kit, workspace: WorkspaceId, n: i64, webhook: WebhookId, verdict: Verdict) {
    let due = kit.owed(webhook).await.into_iter().find(|due| due.id.event.raw() == n);
    kit.attempt(workspace, due.unwrap_or_else(|| panic!("{n} is owed")), verdict).await;
}

fn place(key: &str, sequence: Sequence) -> Option<OrderPlace> {
    Some(OrderPlace { key: OrderKey::of(key), sequence })
}

fn released(told: Vec<Told>) -> Vec<i64> {
    let released = told.into_iter().filter_map(|told| match told {
        Told::Released(due) => Some(due.id.event.raw()),
        Told::Accepted(_) | Told::Requeued(..) => None,
    });
    released.collect()
}

pub async fn the_first_of_each_key_is_owed_and_the_others_are_held(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Skip).await;
    let notes = Notes::on(&*kit);
    let first = publish(&kit, workspace, 31, webhook, "a").await;
    for (n, key) in [(32, "a"), (33, "b"), (34, "a"), (35, "b")] {
        publish(&kit, workspace, n, webhook, key).await;
    }
    kit.publish(workspace, 36, &[webhook]).await;
    assert_eq!(owed(&kit, webhook).await, [31, 33, 36], "one without a key goes at any time");
    assert_eq!(released(notes.take()), [31, 33]);
    let due = kit.owed(webhook).await[0];
    let id = delivery(31, webhook);
    let order = place("a", first.sequence);
    assert_eq!(due, Due { id, due_at: sample::at(31), born: first.sequence, steps: 0, tries: 0, order });
    let pending = DeliveryState::Pending { next_at: sample::at(32) };
    assert_eq!(kit.state(workspace, delivery(32, webhook)).await, pending, "it waits as others do");

    attempt(&kit, workspace, 31, webhook, Verdict::Delivered).await;
    let next = kit.owed(webhook).await[0];
    assert_eq!((next.id, next.due_at), (delivery(32, webhook), sample::at(32)));
    assert_eq!(notes.take(), [Told::Released(next)]);
    let kit = kit.reopen(harness).await;
    assert_eq!(owed(&kit, webhook).await, [32, 33, 36], "what is held outlives a restart");
    for n in [33, 36, 35, 32, 34] {
        attempt(&kit, workspace, n, webhook, Verdict::Delivered).await;
    }
    assert_eq!(owed(&kit, webhook).await, [0i64; 0]);
}

pub async fn order_is_kept_where_it_is_asked_for(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Skip).await;
    let other = kit.subscribe(workspace, 12).await;
    for n in [31, 32] {
        let mut event = kit.draft(workspace, n, &[webhook, other]).await;
        event.content.ordering_key = Some("a".to_owned());
        event.ordered = vec![webhook];
        kit.accept_one(event).await;
    }
    assert_eq!(owed(&kit, webhook).await, [31]);
    assert_eq!(owed(&kit, other).await, [31, 32], "its neighbour keeps none");
    let mut keyless = kit.draft(workspace, 33, &[webhook]).await;
    keyless.ordered = vec![webhook];
    kit.accept_one(keyless).await;
    assert_eq!(owed(&kit, webhook).await, [31, 33]);
    assert_eq!(kit.owed(webhook).await[1].order, None);
}

pub async fn a_retry_holds_its_key_and_a_failure_lets_it_go(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Skip).await;
    for (n, key) in [(31, "a"), (32, "a"), (33, "b")] {
        publish(&kit, workspace, n, webhook, key).await;
    }
    attempt(&kit, workspace, 31, webhook, RETRY).await;
    assert_eq!(owed(&kit, webhook).await, [33, 31]);
    let retried = kit.owed(webhook).await[1];
    assert_eq!((retried.order, retried.tries), (place("a", retried.born), 1));
    attempt(&kit, workspace, 31, webhook, Verdict::GiveUp).await;
    assert_eq!(owed(&kit, webhook).await, [32, 33]);
}

pub async fn a_failure_blocks_its_key_until_it_is_made_good(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Block).await;
    for (n, key) in [(31, "a"), (32, "a"), (33, "b")] {
        publish(&kit, workspace, n, webhook, key).await;
    }
    attempt(&kit, workspace, 31, webhook, Verdict::GiveUp).await;
    attempt(&kit, workspace, 33, webhook, Verdict::Delivered).await;
    let id = delivery(31, webhook);
    assert_eq!(kit.state(workspace, id).await.status(), DeliveryStatus::Failed, "whatever it blocks");
    publish(&kit, workspace, 34, webhook, "a").await;
    publish(&kit, workspace, 35, webhook, "b").await;
    assert_eq!(owed(&kit, webhook).await, [35], "other keys go");
    attempt(&kit, workspace, 35, webhook, Verdict::Delivered).await;
    let kit = kit.reopen(harness).await;
    let lanes = kit.due_lanes(DueLanes { after: None, limit: 9 }).await.expect("it reads");
    assert_eq!(lanes, [], "nobody is owed anything");

    let again = kit.redeliver(workspace, id, 60).await.expect("it has failed");
    assert_eq!(again.order, place("a", Sequence(1)), "it keeps its place");
    assert_eq!(kit.owed(webhook).await, [again]);
    attempt(&kit, workspace, 31, webhook, Verdict::GiveUp).await;
    assert_eq!(owed(&kit, webhook).await, [0i64; 0], "it failed again");
    kit.redeliver(workspace, id, 70).await.expect("it has failed");
    attempt(&kit, workspace, 31, webhook, Verdict::Delivered).await;
    assert_eq!(owed(&kit, webhook).await, [32]);
    attempt(&kit, workspace, 32, webhook, Verdict::Delivered).await;
    assert_eq!(owed(&kit, webhook).await, [34]);
}

pub async fn a_rule_that_blocks_no_more_lets_all_keys_go(harness: &dyn Harness) {
    let free = [
        OrderChange { on_exhausted: Some(OnExhausted::Skip), by_key: None },
        OrderChange { by_key: Some(false), on_exhausted: None },
    ];
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    for (n, order) in (0..).zip(free) {
        let rule = OrderRule { by_key: true, on_exhausted: OnExhausted::Block };
        let webhook = kit.add(Webhook { order: rule, ..sample::webhook(workspace, 11 + n) }).await;
        let events = [31, 32, 33, 34].map(|event| event + 10 * n);
        for (event, key) in events.into_iter().zip(["a", "a", "b", "b"]) {
            publish(&kit, workspace, event, webhook, key).await;
        }
        for event in [events[0], events[2]] {
            attempt(&kit, workspace, event, webhook, Verdict::GiveUp).await;
        }
        let notes = Notes::on(&*kit);
        kit.update_webhook(update(workspace, webhook, 70)).await.expect("it exists");
        assert_eq!(released(notes.take()), [0i64; 0], "nothing has changed");
        let change = UpdateWebhook { order, ..update(workspace, webhook, 71) };
        assert_eq!(kit.update_webhook(change).await.expect("it exists").order, rule.after(order));
        assert_eq!(released(notes.take()), [events[1], events[3]]);
        assert_eq!(owed(&kit, webhook).await, [events[1], events[3]]);
        // What it had blocked has no place any more.
        let again = kit.redeliver(workspace, delivery(events[0], webhook), 80).await.expect("it has failed");
        assert_eq!(again.order, None);
    }
}

pub async fn a_cut_ends_what_is_held_and_what_blocks(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Block).await;
    for (n, key) in [(31, "a"), (32, "a"), (33, "b"), (34, "b")] {
        publish(&kit, workspace, n, webhook, key).await;
    }
    attempt(&kit, workspace, 31, webhook, Verdict::GiveUp).await;
    let in_flight = kit.owed_one(webhook).await;
    kit.disable(workspace, webhook, 40).await;
    kit.enable(workspace, webhook, 41).await;
    assert_eq!(owed(&kit, webhook).await, [0i64; 0]);
    let notes = Notes::on(&*kit);
    publish(&kit, workspace, 51, webhook, "a").await;
    publish(&kit, workspace, 52, webhook, "b").await;
    publish(&kit, workspace, 53, webhook, "b").await;
    assert_eq!(owed(&kit, webhook).await, [51, 52], "what came before the cut holds nobody");
    // A late end of what was cut changes nothing.
    kit.attempt(workspace, in_flight, Verdict::Delivered).await;
    assert_eq!(released(notes.take()), [51, 52]);
    kit.tidy_up(60).await;
    assert_eq!(owed(&kit, webhook).await, [51, 52]);
    let again = kit.redeliver(workspace, delivery(31, webhook), 61).await.expect("it has failed");
    assert_eq!(again.order, None, "its key goes on without it");
    let dropped = kit.redeliver(workspace, delivery(34, webhook), 62).await.expect("it was dropped");
    assert_eq!(dropped.order, None);
    attempt(&kit, workspace, 52, webhook, Verdict::Delivered).await;
    assert_eq!(owed(&kit, webhook).await, [51, 53, 31, 34]);
}

pub async fn what_is_sent_once_more_before_its_end_keeps_its_place(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Skip).await;
    for n in [31, 32, 33] {
        publish(&kit, workspace, n, webhook, "a").await;
    }
    attempt(&kit, workspace, 31, webhook, RETRY).await;
    let notes = Notes::on(&*kit);
    let first = kit.redeliver_any(workspace, delivery(31, webhook), 60).await.expect("any");
    assert_eq!(first.order, place("a", Sequence(1)));
    let held = kit.redeliver_any(workspace, delivery(32, webhook), 61).await.expect("any");
    assert_eq!((held.order, held.due_at), (place("a", Sequence(2)), sample::at(61)));
    let unsent = kit.redeliver_any(workspace, delivery(32, webhook), 62).await.expect("any");
    assert_eq!(unsent, held, "its round has not begun");
    assert_eq!(notes.take(), [Told::Requeued(first, workspace)], "what is held is not owed");
    assert_eq!(kit.owed(webhook).await, [first]);
    kit.attempt(workspace, first, Verdict::Delivered).await;
    assert_eq!(notes.take(), [Told::Released(held)]);
    kit.attempt(workspace, held, Verdict::GiveUp).await;
    let again = kit.redeliver(workspace, delivery(32, webhook), 70).await.expect("it has failed");
    assert_eq!(again.order, None, "it has ended, and the key has gone on");
    assert_eq!(owed(&kit, webhook).await, [33, 32]);
}

pub async fn an_event_that_blocks_its_key_is_kept(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, webhook) = ordered(&kit, OnExhausted::Block).await;
    publish(&kit, workspace, 31, webhook, "a").await;
    publish(&kit, workspace, 32, webhook, "b").await;
    for n in [31, 32] {
        attempt(&kit, workspace, n, webhook, Verdict::GiveUp).await;
    }
    let kept = Some(Duration::from_secs(1));
    let rules = RetentionRules { event_age_max: kept, payload_age_max: kept, bytes_max: Some(0) };
    assert_eq!(kit.retain_all(9_000, &rules).await, (0, 0), "somebody may make it good");
    kit.redeliver(workspace, delivery(31, webhook), 60).await.expect("it has failed");
    attempt(&kit, workspace, 31, webhook, Verdict::Delivered).await;
    assert_eq!(kit.retain_all(9_000, &rules).await, (1, 0));
    kit.disable(workspace, webhook, 70).await;
    assert_eq!(kit.retain_all(9_000, &rules).await, (1, 0), "a cut has ended what it blocked");
    kit.tidy_up(80).await;
    kit.enable(workspace, webhook, 90).await;
    publish(&kit, workspace, 91, webhook, "b").await;
    assert_eq!(owed(&kit, webhook).await, [91]);
}
