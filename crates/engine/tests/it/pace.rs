//! How many requests a receiver gets at once, and how fast: what its owner permits, what it asks for, and what it bears.

use std::time::Duration;

use signalpost_core::ceilings::{Ceilings, CeilingsChange, MaxInFlight};
use signalpost_core::limits::{LANE_HOLD_MAX, LANE_IN_FLIGHT_START};
use signalpost_core::pace::Rate;
use signalpost_core::profile::PauseRule;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::webhooks::{Activity, WebhookChange};

use crate::rig::{RETRY_S, Rig, delivered};

fn at_most(requests: u32) -> Ceilings {
    let in_flight = Some(MaxInFlight::new(requests).expect("within its bounds"));
    Ceilings { in_flight, ..Ceilings::default() }
}

fn a_second(requests: u32) -> Ceilings {
    Ceilings { rate: Some(Rate::per_second(requests).expect("within its bounds")), ..Ceilings::default() }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).expect("minutes")
}

#[test]
fn no_more_are_in_flight_than_the_owner_permits() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook_within(at_most(3));
    rig.publish(20);
    for _ in 0..10 {
        assert_eq!(rig.receiver.in_flight(), 3);
        rig.receiver.answer(200);
        rig.settle();
    }
}

/// Late wake-ups cost nothing, and neither do retries get a rate of their own.
#[test]
fn a_minute_holds_sixty_seconds_of_the_rate_and_no_request_more() {
    for (step_ms, status) in [(10, 200), (15, 200), (10, 500)] {
        let mut rig = Rig::new(PauseRule::Holds, None);
        rig.webhook_within(a_second(5));
        rig.receiver.status.set(Some(status));
        rig.publish(400);
        for _ in 0..60_000 / step_ms {
            rig.advance_ms(step_ms);
        }
        let requests = rig.receiver.requests();
        assert!((299..=301).contains(&requests), "{requests} in steps of {step_ms} ms");
    }
}

#[test]
fn events_whose_payload_has_to_be_read_again_keep_the_rate_too() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook_within(a_second(5));
    rig.receiver.status.set(Some(200));
    rig.publish(40);
    rig.switch(&webhook, Activity::Paused);
    rig.switch(&webhook, Activity::Active);
    for _ in 0..400 {
        rig.advance_ms(10);
    }
    assert!((19..=21).contains(&rig.receiver.requests()), "{}", rig.receiver.requests());
}

#[test]
fn a_receiver_that_asks_for_time_gets_it_for_all_that_is_pending() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.receiver.retry_after.set(Some(Duration::from_secs(60)));
    rig.receiver.status.set(Some(429));
    rig.publish(1);
    rig.receiver.status.set(Some(200));
    rig.publish(5);
    rig.advance_s(59);
    assert_eq!(rig.receiver.requests(), 1);
    rig.advance_s(1);
    assert_eq!(rig.receiver.requests(), 6, "first attempts are not late by the spread of a retry");
    rig.advance_s(6);
    assert_eq!(rig.count(delivered), 6);

    rig.receiver.retry_after.set(Some(Duration::from_secs(3_600)));
    rig.receiver.status.set(Some(503));
    rig.publish(1);
    rig.receiver.status.set(Some(200));
    rig.publish(1);
    rig.advance_s(seconds(LANE_HOLD_MAX) - 1);
    assert_eq!(rig.receiver.requests(), 8);
    rig.advance_s(1);
    assert_eq!(rig.receiver.requests(), 9, "one answer cannot silence a webhook for longer");

    rig.receiver.status.set(Some(503));
    rig.publish(1);
    rig.receiver.status.set(Some(200));
    rig.publish(1);
    assert_eq!(rig.receiver.requests(), 10);
    let change = WebhookChange { name: Some(Some("moved".to_owned())), ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await)
        .expect("it is changed");
    assert_eq!(rig.receiver.requests(), 11, "its owner may have put another receiver there");
}

/// The pause was to last for as long as the receiver had asked for, and by that clock it would last an hour longer.
#[test]
fn a_clock_that_is_set_back_does_not_prolong_what_a_receiver_has_asked_for() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook();
    rig.receiver.retry_after.set(Some(Duration::from_secs(60)));
    rig.receiver.status.set(Some(429));
    rig.publish(1);
    rig.receiver.status.set(Some(200));
    rig.publish(5);
    rig.clock.set_back_s(3_600);
    rig.advance_s(59);
    assert_eq!(rig.receiver.requests(), 1);
    rig.advance_s(1);
    assert_eq!(rig.receiver.requests(), 6, "the alarm rings before its time by the wall clock");
    assert_eq!(rig.count(delivered), 5);
    rig.advance_s(3_600 + 6);
    assert_eq!(rig.count(delivered), 6, "a retry has a time of its own, by whatever clock");
}

#[test]
fn a_receiver_that_shows_strain_gets_half_and_gains_it_back_with_care() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook();
    rig.publish(400);
    let half = LANE_IN_FLIGHT_START / 2;
    assert_eq!(rig.receiver.in_flight(), LANE_IN_FLIGHT_START);
    for _ in 0..LANE_IN_FLIGHT_START {
        rig.receiver.answer(503);
        rig.settle();
    }
    assert_eq!(rig.receiver.in_flight(), half, "one wave of strain is one sign");
    for _ in 0..half - 1 {
        rig.receiver.answer(200);
        rig.settle();
    }
    assert_eq!(rig.receiver.in_flight(), half);
    for _ in 0..2 * half {
        rig.receiver.answer(200);
        rig.settle();
    }
    assert!(rig.receiver.in_flight() > half);
    rig.advance_s(2 * i64::try_from(RETRY_S[0]).expect("seconds"));
}

#[test]
fn what_was_learned_is_not_forgotten_with_the_lane() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.publish(200);
    for _ in 0..3 {
        // Each answer that began under the last limit halves it.
        while rig.receiver.in_flight() > 0 {
            rig.receiver.answer(504);
        }
        rig.settle();
    }
    let learned = LANE_IN_FLIGHT_START / 8;
    assert_eq!(rig.look(&webhook).concurrency.map(usize::from), Some(learned));
    rig.receiver.status.set(Some(500));
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(500);
        rig.settle();
    }
    // All retries, and then the rest after which a lane leaves.
    (0..4).for_each(|_| rig.advance_s(1_000));
    rig.receiver.status.set(None);
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0);
    rig.publish(50);
    assert_eq!(rig.receiver.in_flight(), learned);
}

/// What it said was said of the receiver that was there before.
#[test]
fn an_answer_of_the_old_receiver_teaches_nothing_about_the_new_one() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.receiver.retry_after.set(Some(Duration::from_secs(60)));
    rig.publish(1);
    rig.receiver.retry_after.set(None);
    let url = Some(TargetUrl::parse("https://example.org/moved").expect("a good URL"));
    let change = WebhookChange { url, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await)
        .expect("it is changed");
    rig.receiver.answer(503);
    rig.settle();
    rig.publish(20);
    assert_eq!(rig.receiver.in_flight(), LANE_IN_FLIGHT_START);
    assert_eq!(rig.look(&webhook).concurrency, None);
}

#[test]
fn a_rate_that_is_set_while_much_is_under_way_holds_from_then_on() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let webhook = rig.webhook();
    rig.publish(40);
    assert_eq!(rig.receiver.requests(), LANE_IN_FLIGHT_START);
    let ceilings = CeilingsChange { rate: Some(a_second(5).rate), ..CeilingsChange::default() };
    let change = WebhookChange { ceilings, ..WebhookChange::default() };
    rig.call(async |engine, view| engine.update_webhook(&view, &webhook, change).await)
        .expect("it is changed");
    rig.receiver.status.set(Some(200));
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(200);
    }
    rig.settle();
    for _ in 0..100 {
        rig.advance_ms(20);
    }
    let since = rig.receiver.requests() - LANE_IN_FLIGHT_START;
    assert!((10..=11).contains(&since), "{since} in two seconds");
}
