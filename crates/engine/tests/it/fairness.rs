//! What one workspace may hold of a core, and what is left for others.

use std::sync::Arc;

use signalpost_core::limits::{AGAIN_PARTS, CORE_IN_FLIGHT_MAX, LANE_IN_FLIGHT_START, SLOW_PARTS};
use signalpost_core::profile::PauseRule;
use signalpost_engine::View;
use signalpost_store::testing::block_on::block_on;

use crate::rig::{RETRY_S, Rig, delivered, new_workspace};

/// Webhooks that together could take more than all slots of a core.
const MANY: usize = CORE_IN_FLIGHT_MAX / LANE_IN_FLIGHT_START + 8;

/// Webhooks of each of several workspaces.
const FEW: usize = 16;

/// Goes on in a workspace of its own.
fn move_out(rig: &mut Rig) -> Arc<View> {
    let workspace = new_workspace(&rig.engine);
    let view = block_on(rig.engine.workspace(&workspace)).expect("it exists");
    std::mem::replace(&mut rig.view, view)
}

/// A workspace with many webhooks whose receivers take requests and leave them without an answer.
fn hanging() -> Rig {
    let mut rig = Rig::new(PauseRule::Holds, None);
    (0..MANY).for_each(|_| {
        rig.webhook();
    });
    rig.publish(LANE_IN_FLIGHT_START);
    rig
}

#[test]
fn a_workspace_whose_receivers_hang_leaves_room_for_others() {
    let mut rig = hanging();
    let mut expected = MANY + CORE_IN_FLIGHT_MAX / SLOW_PARTS / 2;
    assert_eq!(
        rig.receiver.in_flight(),
        expected,
        "one for each to show that it is quick, and half of the pool"
    );
    for _ in 0..3 {
        move_out(&mut rig);
        rig.webhook();
        rig.publish(1);
        expected += 1;
        assert_eq!(rig.receiver.in_flight(), expected, "it is sent at once");
    }
}

#[test]
fn what_had_to_wait_is_sent_when_slots_are_free_again() {
    let mut rig = hanging();
    rig.receiver.status.set(Some(200));
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(200);
        rig.settle();
    }
    assert_eq!(rig.receiver.requests(), MANY * LANE_IN_FLIGHT_START);
    assert!(rig.count(delivered) > 0);
}

#[test]
fn a_storm_of_further_attempts_takes_no_more_than_its_part() {
    let mut rig = hanging();
    while rig.receiver.in_flight() > 0 {
        rig.receiver.answer(500);
        rig.settle();
    }
    assert_eq!(rig.receiver.requests(), MANY * LANE_IN_FLIGHT_START);
    rig.advance_s(2 * i64::try_from(RETRY_S[0]).expect("seconds"));
    let storm = CORE_IN_FLIGHT_MAX / AGAIN_PARTS / 2;
    assert_eq!(rig.receiver.in_flight(), storm, "half of the fifth for one workspace alone");
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), storm + MANY, "first attempts find room");
}

/// One hangs after the other, each time when the last is known to.
#[test]
fn however_many_workspaces_hang_one_that_is_quick_is_served_at_once() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    for _ in 0..12 {
        (0..FEW).for_each(|_| {
            rig.webhook();
        });
        rig.publish(LANE_IN_FLIGHT_START);
        rig.advance_ms(2_000);
        move_out(&mut rig);
    }
    let held = rig.receiver.in_flight();
    assert!(held < CORE_IN_FLIGHT_MAX * 9 / 10, "{held}");
    rig.webhook();
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), held + 1);
}

#[test]
fn a_receiver_that_hangs_leaves_the_others_of_its_workspace_theirs() {
    let mut rig = hanging();
    rig.advance_ms(2_000);
    // The same workspace, and one more webhook of it that nothing is known of.
    let held = rig.receiver.in_flight();
    rig.webhook();
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), held + 1);
}

/// Each workspace takes a half of what those before it have left, down to the last slot.
#[test]
fn a_core_makes_as_many_attempts_at_once_as_it_may_and_not_one_more() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    let mut held = 0;
    while held < CORE_IN_FLIGHT_MAX {
        let part = (CORE_IN_FLIGHT_MAX - held).div_ceil(2);
        (0..part.div_ceil(LANE_IN_FLIGHT_START)).for_each(|_| {
            rig.webhook();
        });
        rig.receiver.status.set(Some(200));
        rig.publish(1);
        rig.receiver.status.set(None);
        rig.publish(LANE_IN_FLIGHT_START + 1);
        held += part;
        assert_eq!(rig.receiver.in_flight(), held);
        move_out(&mut rig);
    }
    rig.webhook();
    rig.publish(1);
    let requests = rig.receiver.requests();
    assert_eq!(rig.receiver.in_flight(), CORE_IN_FLIGHT_MAX);
    rig.receiver.answer(200);
    rig.settle();
    assert_eq!((rig.receiver.requests(), rig.receiver.in_flight()), (requests + 1, CORE_IN_FLIGHT_MAX));
}

/// Everything is owed once more, and its receiver answers well by now.
#[test]
fn what_a_receiver_has_missed_is_no_storm_once_it_answers() {
    let mut rig = Rig::new(PauseRule::Holds, None);
    rig.webhook();
    rig.receiver.status.set(Some(500));
    rig.publish(400);
    rig.receiver.status.set(Some(200));
    rig.advance_s(2 * i64::try_from(RETRY_S[0]).expect("seconds"));
    assert_eq!(rig.count(delivered), 400);
}
