//! A webhook that fails gets exactly as many requests as it takes to switch it off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signalpost_core::limits::LANE_IN_FLIGHT_START;
use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::{DisableReason, WebhookState};
use signalpost_engine::webhooks::Activity;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Rig, delivered, pending};

const FAILURES: u32 = 6;
const REQUESTS: usize = 6;

fn disabled_as(rig: &mut Rig, webhook: &str) -> Option<(DisableReason, u32)> {
    let webhook = rig.look(webhook);
    match webhook.state {
        WebhookState::Active => None,
        WebhookState::Disabled { reason, .. } => Some((reason, webhook.health.consecutive_failures)),
    }
}

#[test]
fn a_receiver_that_only_fails_gets_as_many_requests_as_the_rule_says() {
    for status in [500, 404] {
        let mut rig = Rig::new(PauseRule::Holds, Some(FAILURES));
        let webhook = rig.webhook();
        // Many are pending before the first is answered.
        rig.publish(100);
        assert_eq!(rig.receiver.in_flight(), REQUESTS, "not one more than may fail");
        for left in (0..REQUESTS).rev() {
            rig.receiver.answer(status);
            rig.settle();
            assert_eq!(rig.receiver.in_flight(), left);
        }
        rig.advance_s(1_000);
        assert_eq!(rig.receiver.requests(), REQUESTS);
        assert_eq!(disabled_as(&mut rig, &webhook), Some((DisableReason::Failing, FAILURES)));
        assert_eq!(rig.count(pending), 0, "nothing is left pending");
    }
}

#[test]
fn quick_failures_are_counted_as_well() {
    let mut rig = Rig::new(PauseRule::Holds, Some(FAILURES));
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(100);
    rig.advance_s(1_000);
    assert_eq!(rig.receiver.requests(), REQUESTS);
    assert_eq!(disabled_as(&mut rig, &webhook), Some((DisableReason::Failing, FAILURES)));
}

#[test]
fn a_success_gives_all_failures_back() {
    let mut rig = Rig::new(PauseRule::Holds, Some(FAILURES));
    let webhook = rig.webhook();
    rig.publish(100);
    for _ in 1..REQUESTS {
        rig.receiver.answer(500);
        rig.settle();
    }
    assert_eq!(rig.receiver.in_flight(), 1, "one failure is left");
    rig.receiver.answer(200);
    rig.settle();
    assert_eq!(rig.receiver.in_flight(), REQUESTS);
    rig.receiver.status.set(Some(200));
    for _ in 0..REQUESTS {
        rig.receiver.answer(200);
    }
    rig.settle();
    rig.advance_s(20);
    assert_eq!(rig.count(delivered), 100);
    assert_eq!(disabled_as(&mut rig, &webhook), None);
}

#[test]
fn without_a_rule_only_the_lanes_own_bound_counts() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.publish(100);
    for _ in 0..50 {
        assert_eq!(rig.receiver.in_flight(), LANE_IN_FLIGHT_START);
        rig.receiver.answer(500);
        rig.settle();
    }
    assert_eq!(disabled_as(&mut rig, &webhook), None);
}

#[test]
fn a_webhook_that_is_switched_on_again_has_all_its_failures_left() {
    let mut rig = Rig::new(PauseRule::Holds, Some(FAILURES));
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(20);
    for round in 2..5 {
        assert!(disabled_as(&mut rig, &webhook).is_some());
        assert_eq!(rig.switch(&webhook, Activity::Active).health.consecutive_failures, 0);
        rig.publish(20);
        rig.advance_s(1_000);
        assert_eq!(rig.receiver.requests(), round * REQUESTS);
    }
}

/// What is not on disk when the process is killed is sent again.
#[test]
fn outcomes_that_a_store_has_refused_for_long_are_on_disk_soon_after_it_is_back() {
    let refuses = Arc::new(AtomicBool::new(false));
    let plan = Arc::clone(&refuses);
    let fails = move |call: Call| match call.verb {
        "finish" if plan.load(Ordering::SeqCst) => Fault::Before,
        _ => Fault::Pass,
    };
    let mut rig = Rig::on(Arc::new(FaultyStore::new(MemoryStore::new(), Box::new(fails))));
    rig.webhook();
    rig.receiver.status.set(Some(200));
    refuses.store(true, Ordering::SeqCst);
    rig.publish(10);
    (0..600).for_each(|_| rig.advance_ms(100));
    assert_eq!((rig.receiver.requests(), rig.count(delivered)), (10, 0));
    refuses.store(false, Ordering::SeqCst);
    rig.advance_ms(200);
    assert_eq!((rig.receiver.requests(), rig.count(delivered)), (10, 10));
}
