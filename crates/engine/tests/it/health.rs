//! A receiver that only fails is left alone but for a probe now and then, and nothing that it is owed is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signalpost_core::ceilings::Ceilings;
use signalpost_core::delivery::{CutReason, DeliveryState};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::health::{Health, HoldRule, ReleaseOrder, Standing};
use signalpost_core::pace::Rate;
use signalpost_core::principal::Principal;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::Webhook;
use signalpost_engine::webhooks::WebhookChange;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{RETRY_S, Rig, delivered, pending};

/// The last try of three deliveries is one too many.
const RULE: HoldRule = HoldRule { failures_min: 7, failing_for: Duration::from_secs(60) };

/// Owes three deliveries, of which each has had all its tries.
fn pause(rig: &mut Rig) -> String {
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    for delay_s in RETRY_S {
        assert_eq!(rig.look(&webhook).health.standing(), Standing::Normal);
        rig.advance_s(i64::try_from(delay_s * 11 / 10).expect("minutes"));
    }
    assert_eq!(rig.look(&webhook).health.standing(), Standing::Paused);
    assert_eq!((rig.receiver.requests(), rig.count(pending)), (9, 3), "the last tries count for nothing");
    webhook
}

fn release(rig: &mut Rig, webhook: &str, order: ReleaseOrder) -> Result<Webhook, Error> {
    rig.call(async |engine, view| engine.release_webhook(&view, webhook, Some(order)).await)
}

fn skipped(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Dropped { reason: CutReason::Skipped, .. })
}

#[test]
fn a_paused_receiver_gets_one_probe_at_a_time_and_everything_when_it_is_back() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let webhook = pause(&mut rig);
    rig.publish(2);
    assert_eq!(rig.receiver.requests(), 9, "what comes meanwhile is held as well");
    for (delay_s, probes) in [(60, 1), (120, 2), (240, 3), (480, 4), (900, 5), (900, 6)] {
        rig.advance_s(delay_s - 1);
        assert_eq!(rig.receiver.requests(), 9 + probes - 1, "too early");
        rig.advance_s(1);
        assert_eq!(rig.receiver.requests(), 9 + probes);
    }
    assert_eq!((rig.count(pending), rig.look(&webhook).health.hold.map(|hold| hold.probes)), (5, Some(6)));
    let mut probed = rig.receiver.sent()[9..].to_vec();
    probed.sort_unstable();
    probed.dedup();
    assert_eq!(probed.len(), 5, "a delivery that no receiver would take does not keep the others");
    rig.receiver.status.set(Some(204));
    rig.advance_s(900);
    // What was probed last waits for its own time.
    rig.advance_s(900);
    assert_eq!(rig.count(delivered), 5);
    assert_eq!(rig.look(&webhook).health, Health::default());
}

#[test]
fn an_event_wakes_no_lane_that_sleeps_until_its_probe() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    pause(&mut rig);
    [60, 120].into_iter().for_each(|delay_s| rig.advance_s(delay_s));
    rig.advance_s(120);
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0, "it has nothing to do for two minutes");
    let requests = rig.receiver.requests();
    rig.publish(1);
    assert_eq!(rig.receiver.requests(), requests);
    rig.advance_s(120);
    assert_eq!(rig.receiver.requests(), requests + 1);
}

/// The probe was judged under the pause, and what is recorded of it comes after the release.
#[test]
fn a_release_that_an_older_outcome_overtakes_leaves_no_pause_behind() {
    let refuses = Arc::new(AtomicBool::new(false));
    let plan = Arc::clone(&refuses);
    let fails = move |call: Call| match call.verb {
        "finish" if plan.load(Ordering::SeqCst) => Fault::Before,
        _ => Fault::Pass,
    };
    let store = Arc::new(FaultyStore::new(MemoryStore::new(), Box::new(fails)));
    let mut rig = Rig::with_holds_on(store, RULE, ReleaseOrder::OldestFirst);
    let webhook = pause(&mut rig);
    rig.receiver.status.set(None);
    rig.advance_s(60);
    assert_eq!(rig.receiver.in_flight(), 1, "the probe");
    refuses.store(true, Ordering::SeqCst);
    rig.receiver.answer(500);
    rig.settle();
    assert_eq!(
        release(&mut rig, &webhook, ReleaseOrder::OldestFirst).expect("it is paused").health.hold,
        None
    );
    refuses.store(false, Ordering::SeqCst);
    rig.advance_ms(100);
    assert_eq!(rig.look(&webhook).health.standing(), Standing::Paused, "by the old outcome");
    rig.receiver.answer(204);
    rig.settle();
    assert_eq!(rig.look(&webhook).health, Health::default());
}

#[test]
fn a_receiver_that_is_back_is_sent_one_request_at_first() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    pause(&mut rig);
    rig.publish(20);
    rig.receiver.status.set(None);
    rig.advance_s(60);
    for answered in 0..8 {
        assert_eq!(rig.receiver.in_flight(), answered.max(1), "one more with each success after the probe");
        rig.receiver.answer(204);
        rig.settle();
    }
}

#[test]
fn a_release_by_hand_waits_for_no_probe() {
    let orders = [ReleaseOrder::OldestFirst, ReleaseOrder::NewestFirst, ReleaseOrder::Skip];
    for order in orders {
        let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
        let webhook = pause(&mut rig);
        let mut held = Vec::new();
        for _ in 0..3 {
            rig.advance_ms(10);
            rig.publish(1);
            held.push(rig.deliveries()[0].id.to_public());
        }
        rig.receiver.status.set(Some(204));
        let released = release(&mut rig, &webhook, order);
        assert_eq!(released.expect("it is paused").health, Health::default());
        let sent = rig.receiver.sent()[9..].to_vec();
        match order {
            ReleaseOrder::OldestFirst => assert_eq!(sent, held),
            ReleaseOrder::NewestFirst => assert_eq!(sent, held.iter().rev().cloned().collect::<Vec<_>>()),
            ReleaseOrder::Skip => assert_eq!((sent.len(), rig.count(skipped)), (0, 6)),
        }
        rig.advance_s(60);
        let expected = if order == ReleaseOrder::Skip { 0 } else { 6 };
        assert_eq!(rig.count(delivered), expected, "those that were tried last have a time of their own");
        let again = release(&mut rig, &webhook, order).expect_err("it is not paused");
        assert_eq!(again.code, ErrorCode::Conflict);
    }
}

#[test]
fn a_workspace_that_skips_gets_what_comes_after_the_first_success() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::Skip);
    pause(&mut rig);
    rig.publish(2);
    rig.receiver.status.set(Some(204));
    rig.advance_s(60);
    assert_eq!((rig.count(delivered), rig.count(skipped)), (1, 4));
    rig.publish(1);
    assert_eq!((rig.count(delivered), rig.receiver.requests()), (2, 11));
}

#[test]
fn events_do_not_keep_a_slow_paced_webhook_from_being_probed() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let rate = Some(Rate::per_second(1).expect("within its bounds"));
    let webhook = rig.webhook_within(Ceilings { rate, ..Ceilings::default() });
    rig.receiver.status.set(Some(500));
    rig.publish(8);
    (0..150).for_each(|_| rig.advance_s(1));
    assert_eq!(rig.look(&webhook).health.standing(), Standing::Paused);
    let before = rig.receiver.requests();
    for _ in 0..2_000 {
        rig.advance_ms(300);
        rig.publish(1);
    }
    assert!(rig.receiver.requests() - before >= 3, "ten minutes have room for three probes");
}

#[test]
fn a_change_wakes_a_lane_that_sleeps_until_its_probe_and_a_release_begins_with_one() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let webhook = pause(&mut rig);
    rig.publish(20);
    [60, 120, 240, 300].into_iter().for_each(|delay_s| rig.advance_s(delay_s));
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0);
    let before = rig.receiver.requests();
    let change = WebhookChange { name: Some(Some("mended".to_owned())), ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await).expect("it is there");
    assert_eq!(rig.receiver.requests(), before + 1);
    (0..90).for_each(|_| rig.advance_s(1));
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0);
    rig.receiver.status.set(None);
    release(&mut rig, &webhook, ReleaseOrder::OldestFirst).expect("it is paused");
    assert_eq!(rig.receiver.in_flight(), 1, "although its lane knew of no pause");
}

#[test]
fn a_webhook_that_is_deleted_while_it_is_paused_leaves_nothing_in_memory() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let webhook = pause(&mut rig);
    rig.call(async |engine, view| engine.delete_webhook(&view, &webhook, &Principal::Operator).await)
        .expect("it is there");
    (0..20).for_each(|_| rig.advance_s(60));
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0);
}

/// What is due later stands first when pages are read from the other end.
#[test]
fn retries_in_the_future_do_not_keep_the_newest_first_from_its_end() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(1_500);
    (0..125).for_each(|_| rig.advance_s(1));
    assert_eq!(rig.look(&webhook).health.standing(), Standing::Paused);
    rig.publish(2);
    rig.receiver.status.set(Some(204));
    release(&mut rig, &webhook, ReleaseOrder::NewestFirst).expect("it is paused");
    (0..200).for_each(|_| rig.advance_s(1));
    let kept = rig.receiver.sent().iter().collect::<BTreeSet<_>>().len();
    assert_eq!((kept, rig.count(pending)), (1_502, 0));
}

#[test]
fn another_receiver_is_tried_at_once() {
    let mut rig = Rig::with_holds(RULE, ReleaseOrder::OldestFirst);
    let webhook = pause(&mut rig);
    rig.publish(2);
    rig.receiver.status.set(Some(204));
    let url = TargetUrl::parse("https://example.com/elsewhere").expect("a good URL");
    let change = WebhookChange { url: Some(url), ..WebhookChange::default() };
    let changed = rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await);
    assert_eq!(changed.expect("it is there").health, Health::default());
    assert_eq!(rig.count(delivered), 2);
    rig.advance_s(60);
    assert_eq!(rig.count(delivered), 5);
}
