//! Lanes that change delivery cores, and take along what is known of their receivers.

use std::time::Duration;

use signalpost_core::ceilings::Ceilings;
use signalpost_core::pace::Rate;
use signalpost_core::profile::PauseRule;
use signalpost_engine::webhooks::Activity;
use signalpost_engine::{BalanceRule, core_of};

use crate::rig::{Rig, delivered, pending};

const CORES: usize = 2;
const RULE: BalanceRule = BalanceRule { every: Duration::from_secs(1), attempts_min: 10 };

/// So many webhooks that fall to one core, and none that falls to another.
fn on_one_core(rig: &mut Rig, webhooks: usize, ceilings: Ceilings) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    while found.len() < webhooks {
        let webhook = rig.webhook_within(ceilings);
        if core_of(rig.look(&webhook).id, CORES) == 0 {
            found.push(webhook);
        } else {
            rig.switch(&webhook, Activity::Paused);
        }
    }
    found
}

fn moved(rig: &Rig) -> u64 {
    rig.engine.metrics().lanes_moved.get()
}

fn rig() -> Rig {
    let mut rig = Rig::with_cores(PauseRule::Holds, CORES);
    rig.watch_balance(RULE);
    rig
}

/// A second in which so many events come, and all are delivered.
fn busy_second(rig: &mut Rig, events: usize) {
    rig.receiver.status.set(Some(200));
    rig.publish(events);
    rig.advance_s(1);
}

#[test]
fn a_core_that_has_all_to_do_gives_half_of_it_away() {
    let mut rig = rig();
    on_one_core(&mut rig, 4, Ceilings::default());
    busy_second(&mut rig, 10);
    assert_eq!(moved(&rig), 2);
    for _ in 0..5 {
        busy_second(&mut rig, 10);
    }
    assert_eq!(moved(&rig), 2, "they are even now");
    assert_eq!((rig.count(delivered), rig.receiver.requests()), (240, 240), "each was sent once");
}

#[test]
fn a_webhook_that_does_all_the_work_stays_where_it_is() {
    let mut rig = rig();
    on_one_core(&mut rig, 1, Ceilings::default());
    (0..5).for_each(|_| busy_second(&mut rig, 20));
    assert_eq!((moved(&rig), rig.count(delivered)), (0, 100));
}

#[test]
fn nothing_moves_that_is_under_way() {
    let mut rig = rig();
    on_one_core(&mut rig, 2, Ceilings::default());
    rig.receiver.status.set(Some(200));
    rig.publish(10);
    rig.receiver.status.set(None);
    rig.publish(1);
    rig.advance_s(1);
    assert_eq!(
        (moved(&rig), rig.receiver.in_flight()),
        (0, 2),
        "one of them is to leave, and waits for its end"
    );
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), 3, "it starts nothing more");
    (0..3).for_each(|_| rig.receiver.answer(200));
    rig.settle();
    assert_eq!((moved(&rig), rig.receiver.in_flight()), (1, 1), "and is sent there what it is owed");
    rig.receiver.answer(200);
    rig.settle();
    assert_eq!((rig.count(delivered), rig.receiver.requests()), (24, 24));
}

#[test]
fn a_webhook_whose_requests_do_not_end_stays_and_goes_on() {
    let mut rig = rig();
    on_one_core(&mut rig, 2, Ceilings::default());
    rig.receiver.status.set(Some(200));
    rig.publish(10);
    rig.receiver.status.set(None);
    rig.publish(1);
    rig.advance_s(1);
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), 3);
    rig.advance_ms(500);
    assert_eq!((moved(&rig), rig.receiver.in_flight()), (0, 4));
}

#[test]
fn a_rate_is_kept_over_a_move() {
    let mut rig = rig();
    let rate = Some(Rate::per_second(5).expect("within its bounds"));
    on_one_core(&mut rig, 4, Ceilings { rate, ..Ceilings::default() });
    rig.receiver.status.set(Some(200));
    rig.publish(20);
    let mut before = rig.receiver.requests();
    assert_eq!(before, 4);
    for _ in 0..19 {
        rig.advance_ms(200);
        let requests = rig.receiver.requests();
        assert!(requests - before <= 4, "one from each at most");
        before = requests;
    }
    assert_eq!((moved(&rig), rig.count(delivered)), (2, 78), "those that have moved read their events first");
}

#[test]
fn what_is_told_of_a_webhook_reaches_it_where_it_is() {
    let mut rig = rig();
    let webhooks = on_one_core(&mut rig, 4, Ceilings::default());
    busy_second(&mut rig, 10);
    assert_eq!(moved(&rig), 2);
    for webhook in &webhooks {
        rig.switch(webhook, Activity::Paused);
    }
    rig.receiver.status.set(None);
    rig.publish(1);
    assert_eq!((rig.receiver.in_flight(), rig.count(pending)), (0, 0));
    for webhook in &webhooks {
        rig.switch(webhook, Activity::Active);
    }
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), 4);
}

#[test]
fn a_lane_that_has_nothing_to_do_comes_home() {
    let mut rig = rig();
    on_one_core(&mut rig, 4, Ceilings::default());
    busy_second(&mut rig, 10);
    assert_eq!((moved(&rig), rig.engine.metrics().lanes_in_memory.get()), (2, 4));
    rig.advance_s(60);
    assert_eq!(rig.engine.metrics().lanes_in_memory.get(), 0);
    // The first of these seconds is only counted: what was before is too long ago.
    (0..3).for_each(|_| busy_second(&mut rig, 10));
    assert_eq!((moved(&rig), rig.count(delivered)), (4, 160), "they were all at home");
}
