//! Deliveries of events with the same key, one after the other.

use std::sync::Arc;

use signalpost_core::order::{OnExhausted, OrderChange, OrderRule};
use signalpost_core::profile::PauseRule;
use signalpost_engine::webhooks::{Activity, NewWebhook, WebhookChange};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{RETRY_S, Rig, delivered, pending};

fn ordered(rig: &mut Rig, on_exhausted: OnExhausted) -> String {
    rig.webhook_like(|new| NewWebhook { order: OrderRule { by_key: true, on_exhausted }, ..new })
}

fn publish<const N: usize>(rig: &mut Rig, keys: [&str; N]) -> [String; N] {
    keys.map(|key| rig.publish_keyed(key))
}

fn answer(rig: &mut Rig, status: u16) {
    rig.receiver.answer(status);
    rig.settle();
}

#[test]
fn one_of_a_key_goes_at_a_time_and_other_keys_flow() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    ordered(&mut rig, OnExhausted::Skip);
    let [a1, a2, b1, a3, b2] = publish(&mut rig, ["a", "a", "b", "a", "b"]);
    rig.publish(1);
    assert_eq!(rig.receiver.sent()[..2], [a1, b1]);
    assert_eq!(rig.receiver.in_flight(), 3, "one without a key as well");
    answer(&mut rig, 200);
    assert_eq!(rig.receiver.sent()[3..], [a2]);
    answer(&mut rig, 200);
    assert_eq!(rig.receiver.sent()[4..], [b2]);
    (0..3).for_each(|_| answer(&mut rig, 200));
    assert_eq!(rig.receiver.sent()[5..], [a3]);
    answer(&mut rig, 200);
    assert_eq!(rig.count(delivered), 6);
}

#[test]
fn a_retry_holds_back_what_follows_it() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    ordered(&mut rig, OnExhausted::Skip);
    let [a1, a2] = publish(&mut rig, ["a", "a"]);
    for _ in RETRY_S {
        answer(&mut rig, 500);
        assert_eq!(rig.receiver.in_flight(), 0, "nothing overtakes it");
        rig.advance_s(3_600);
    }
    assert_eq!(rig.receiver.sent(), vec![a1; 1 + RETRY_S.len()]);
    answer(&mut rig, 500);
    assert_eq!(rig.receiver.sent().last(), Some(&a2), "it was given up, and the next one goes");
}

#[test]
fn a_failure_blocks_its_key_until_it_is_redelivered_or_skipped() {
    for skips in [OrderChange { on_exhausted: Some(OnExhausted::Skip), by_key: None }, OrderChange::default()]
    {
        let mut rig = Rig::new(PauseRule::Holds, None);
        let webhook = ordered(&mut rig, OnExhausted::Block);
        let [a1, a2] = publish(&mut rig, ["a", "a"]);
        rig.receiver.status.set(Some(500));
        answer(&mut rig, 500);
        (0..10).for_each(|_| rig.advance_s(3_600));
        rig.receiver.status.set(Some(200));
        let [b1] = publish(&mut rig, ["b"]);
        assert_eq!(rig.receiver.sent().last(), Some(&b1));
        assert!(!rig.receiver.sent().contains(&a2) && rig.count(pending) == 1);
        if skips == OrderChange::default() {
            rig.call(async |engine, _| engine.redeliver(&a1, None).await).expect("it has failed");
            assert_eq!(rig.receiver.sent().last_chunk(), Some(&[a1, a2]));
        } else {
            let change = WebhookChange { order: skips, ..WebhookChange::default() };
            rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await)
                .expect("it is there");
            assert_eq!(rig.receiver.sent().last(), Some(&a2));
        }
        assert_eq!(rig.count(pending), 0);
    }
}

/// The cut has freed the key, and the request that it has dropped is under way still.
#[test]
fn what_comes_after_a_cut_does_not_overtake_what_is_under_way() {
    for status in [200, 500] {
        let mut rig = Rig::on(Arc::new(MemoryStore::new()));
        let webhook = ordered(&mut rig, OnExhausted::Skip);
        publish(&mut rig, ["a", "a"]);
        rig.switch(&webhook, Activity::Paused);
        rig.switch(&webhook, Activity::Active);
        let [a3, a4] = publish(&mut rig, ["a", "a"]);
        assert_eq!((rig.receiver.requests(), rig.receiver.in_flight()), (1, 1));
        answer(&mut rig, status);
        assert_eq!(rig.receiver.sent()[1..], [a3]);
        answer(&mut rig, 200);
        assert_eq!(rig.receiver.sent()[2..], [a4]);
    }
}

#[test]
fn a_webhook_that_keeps_order_later_keeps_that_of_later_events() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    publish(&mut rig, ["a", "a"]);
    assert_eq!(rig.receiver.in_flight(), 2);
    let order = OrderChange { by_key: Some(true), on_exhausted: None };
    let change = WebhookChange { order, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await).expect("it is there");
    publish(&mut rig, ["a", "a"]);
    assert_eq!(rig.receiver.in_flight(), 3);
}

/// What is held costs no memory, and what is told is only a hint.
#[test]
fn a_long_key_flows_from_the_disk() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    ordered(&mut rig, OnExhausted::Skip);
    let all: Vec<String> = (0..50).map(|_| rig.publish_keyed("a")).collect();
    assert_eq!(rig.engine.metrics().deliveries_in_memory.get(), 1);
    rig.receiver.status.set(Some(200));
    answer(&mut rig, 200);
    assert_eq!(rig.receiver.sent(), all);
    assert_eq!(rig.count(delivered), 50);
}
