//! What one workspace may hold of a core, and what is left for others.

use std::sync::Arc;

use signalpost_core::limits::{AGAIN_PARTS, CORE_IN_FLIGHT_MAX, LANE_IN_FLIGHT_START};
use signalpost_core::profile::PauseRule;
use signalpost_engine::View;
use signalpost_store::testing::block_on::block_on;

use crate::rig::{RETRY_S, Rig, delivered, new_workspace};

/// Webhooks that together could take more than all slots of a core.
const MANY: usize = CORE_IN_FLIGHT_MAX / LANE_IN_FLIGHT_START + 8;

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
    let mut expected = CORE_IN_FLIGHT_MAX / 2;
    assert_eq!(rig.receiver.in_flight(), expected, "half of a core for one alone");
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
    let storm = CORE_IN_FLIGHT_MAX / AGAIN_PARTS;
    assert_eq!(rig.receiver.in_flight(), storm);
    rig.publish(1);
    assert_eq!(rig.receiver.in_flight(), storm + MANY, "first attempts find room");
}
