//! Pausing a webhook of a dialect that holds what is pending.

use std::collections::BTreeSet;

use signalpost_core::profile::PauseRule;
use signalpost_core::webhook::{DisableReason, WebhookState};
use signalpost_engine::webhooks::Activity;

use crate::rig::{Rig, delivered, pending};

const NEVER: Option<u32> = None;

#[test]
fn what_is_pending_waits_and_goes_on_at_once() {
    let mut rig = Rig::new(PauseRule::Holds, NEVER);
    let webhook = rig.webhook();
    rig.publish(40);
    let in_flight = rig.receiver.in_flight();
    assert!((1..40).contains(&in_flight), "some wait in memory");
    let off = rig.switch(&webhook, Activity::Paused);
    assert!(matches!(off.state, WebhookState::Disabled { reason: DisableReason::Paused, .. }));
    assert_eq!(rig.publish(1), 0, "no delivery is made while it is off");
    for place in 0..in_flight {
        rig.receiver.answer(if place % 2 == 0 { 204 } else { 500 });
        rig.settle();
    }
    rig.advance_s(15);
    rig.advance_s(3_600);
    assert_eq!(rig.receiver.requests(), in_flight, "nothing starts while it is off, retries included");
    assert_eq!((rig.count(pending), rig.count(delivered)), (40 - in_flight / 2, in_flight / 2));

    rig.receiver.status.set(Some(204));
    let on = rig.switch(&webhook, Activity::Active);
    assert_eq!((on.state, on.health.consecutive_failures), (WebhookState::Active, 0));
    assert_eq!(rig.count(delivered), 40, "without any move of the clock");
    assert_eq!(rig.receiver.requests(), 40 + in_flight / 2);
}

/// The lane goes out of memory meanwhile.
#[test]
fn a_long_pause_ends_at_once_as_well() {
    let mut rig = Rig::new(PauseRule::Holds, NEVER);
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    rig.switch(&webhook, Activity::Paused);
    for _ in 0..10 {
        rig.advance_s(120);
    }
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0, "nothing wakes it again and again");
    assert_eq!(rig.engine.metrics().deliveries_in_memory.get(), 0);
    rig.receiver.status.set(Some(200));
    rig.switch(&webhook, Activity::Active);
    assert_eq!(rig.count(delivered), 3);
}

#[test]
fn pausing_and_going_on_while_attempts_are_in_flight_doubles_nothing() {
    let mut rig = Rig::new(PauseRule::Holds, NEVER);
    let webhook = rig.webhook();
    rig.publish(5);
    for _ in 0..3 {
        rig.switch(&webhook, Activity::Paused);
        rig.switch(&webhook, Activity::Active);
    }
    assert_eq!((rig.receiver.requests(), rig.receiver.in_flight()), (5, 5));
    for _ in 0..5 {
        rig.receiver.answer(204);
    }
    rig.settle();
    rig.advance_s(3_600);
    assert_eq!((rig.receiver.requests(), rig.count(delivered)), (5, 5));
    let sent: BTreeSet<String> = rig.receiver.sent().into_iter().collect();
    assert_eq!(sent.len(), 5);
}

/// Attempts in flight at the pause are the last failures that its rule allows.
#[test]
fn a_paused_webhook_that_fails_too_often_is_ended() {
    let mut rig = Rig::new(PauseRule::Holds, Some(4));
    let webhook = rig.webhook();
    rig.publish(9);
    assert_eq!(rig.receiver.in_flight(), 4);
    rig.switch(&webhook, Activity::Paused);
    for _ in 0..4 {
        rig.receiver.answer(500);
        rig.settle();
    }
    let state = rig.look(&webhook).state;
    assert!(matches!(state, WebhookState::Disabled { reason: DisableReason::Failing, .. }), "{state:?}");
    assert_eq!(rig.count(pending), 0);
    rig.switch(&webhook, Activity::Active);
    rig.advance_s(3_600);
    assert_eq!(rig.receiver.requests(), 4, "what was ended stays ended");
}

/// Failures from before the pause do not count when it is over, also those of attempts that are still in flight.
#[test]
fn failures_count_from_zero_after_a_pause() {
    let mut rig = Rig::new(PauseRule::Holds, Some(3));
    let webhook = rig.webhook();
    rig.publish(3);
    for _ in 0..2 {
        rig.receiver.answer(500);
        rig.settle();
    }
    rig.switch(&webhook, Activity::Paused);
    rig.switch(&webhook, Activity::Active);
    rig.receiver.answer(500);
    rig.settle();
    let webhook = rig.look(&webhook);
    assert_eq!((webhook.state, webhook.health.consecutive_failures), (WebhookState::Active, 1));
}

#[test]
fn where_the_dialect_drops_a_pause_ends_what_is_pending() {
    let mut rig = Rig::new(PauseRule::Drops, NEVER);
    let webhook = rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(3);
    let off = rig.switch(&webhook, Activity::Paused);
    assert!(matches!(off.state, WebhookState::Disabled { reason: DisableReason::ByOwner, .. }));
    assert_eq!(rig.count(pending), 0);
    rig.switch(&webhook, Activity::Active);
    rig.advance_s(3_600);
    assert_eq!(rig.receiver.requests(), 3);
}
