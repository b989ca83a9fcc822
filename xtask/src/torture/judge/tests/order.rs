//! Order by key: arrivals of an ordered webhook.

use super::*;

/// Two events of one key, 32 apart, both delivered.
fn pair(in_order: bool, first_at: Ms, second_at: Ms) -> World {
    let mut world = World::new(NATIVE).arrive(first_at, Reply::Taken).listed(Status::Delivered);
    world.hooks[0].wants.in_order = in_order;
    world.publish(NUMBER + 32, Fate::Acknowledged, 10_001);
    let wire_id = fingerprint("evt_33");
    let second = Arrival { number: NUMBER + 32, at: second_at, wire_id, ..world.arrivals[0] };
    world.arrivals.push(second);
    world.record.deliveries.push(Listed { number: NUMBER + 32, hook: 0, status: Status::Delivered });
    world
}

#[test]
fn who_overtakes_is_seen() {
    let kept = pair(true, 10_020, 10_040);
    assert_eq!((kept.violations(), kept.judge().in_order), (vec![], 1));
    assert_eq!(pair(true, 10_020, 10_019).violations(), [Violation::Overtaken]);
    assert_eq!(pair(false, 10_020, 10_019).violations(), [], "nobody asked for order");
}

#[test]
fn nobody_waits_for_what_was_given_up() {
    let mut world = pair(true, 10_020, 10_019);
    world.arrivals[0].reply = Reply::Hung;
    world.record.deliveries[0].status = Status::DroppedByDisabling;
    assert_eq!(world.judge().violations.get(&Violation::Overtaken), None);
}
