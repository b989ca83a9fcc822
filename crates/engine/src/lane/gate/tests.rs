//! What closes a gate, what opens it, and what it learns.

use signalpost_core::limits::{LANE_IN_FLIGHT_MAX, LANE_IN_FLIGHT_START};

use super::*;
use crate::hand_clock::HandClock;

const QUICK_US: u64 = 40_000;
const NO_CEILING: usize = LANE_IN_FLIGHT_MAX;

fn rate(per_s: u32) -> Rate {
    Rate::per_second(per_s).expect("within the bounds")
}

/// A gate with so many in flight, and how each of them began.
fn busy(in_flight: usize, now: Timestamp) -> (Gate, Vec<Begun>) {
    let mut gate = Gate::default();
    let begun = (0..in_flight).map(|_| gate.enter(now)).collect();
    (gate, begun)
}

#[test]
fn a_hold_lasts_as_long_as_was_asked_for_and_no_longer_than_it_may() {
    let most_ms = i64::try_from(LANE_HOLD_MAX.as_millis()).expect("minutes");
    for (asked_s, looked_ms, open) in [
        (0, 0, true),
        (60, 0, false),
        (60, 59_999, false),
        (60, 60_000, true),
        (86_400, most_ms - 1, false),
        (86_400, most_ms, true),
        (u64::MAX, most_ms, true),
        // The clock was set back before it began.
        (60, -1, true),
    ] {
        let (mut gate, now) = (Gate::default(), HandClock::default().now());
        gate.obey(Duration::from_secs(asked_s), now);
        let looked = now.plus_ms(looked_ms);
        assert_eq!(gate.is_open(NO_CEILING, looked), open, "{asked_s} s, looked at after {looked_ms} ms");
        let until =
            now.plus_ms(i64::try_from(asked_s).unwrap_or(i64::MAX).saturating_mul(1_000).min(most_ms));
        assert_eq!(gate.opens_at(looked), (!open).then_some(until));
    }
}

#[test]
fn the_longest_of_several_holds_counts() {
    let (mut gate, now) = (Gate::default(), HandClock::default().now());
    for (asked_s, until_s) in [(60, 60), (5, 60), (0, 60), (90, 90)] {
        gate.obey(Duration::from_secs(asked_s), now);
        assert_eq!(gate.opens_at(now), Some(now.plus_ms(until_s * 1_000)), "after {asked_s}");
    }
    // One that is over is none, and so is one of a time that the clock was set back from.
    for later_ms in [90_000, -1] {
        let mut gate = Gate { hold: gate.hold, ..Gate::default() };
        gate.obey(Duration::from_secs(1), now.plus_ms(later_ms));
        assert_eq!(gate.opens_at(now.plus_ms(later_ms)), Some(now.plus_ms(later_ms + 1_000)));
    }
    assert!(gate.is_held());
    gate.release();
    assert!(!gate.is_held() && gate.is_open(NO_CEILING, now));
}

#[test]
fn no_more_pass_than_the_receiver_bears_and_its_owner_permits() {
    let now = Timestamp::from_ms(1_000);
    for (in_flight, most, open) in [
        (0, NO_CEILING, true),
        (LANE_IN_FLIGHT_START - 1, NO_CEILING, true),
        (LANE_IN_FLIGHT_START, NO_CEILING, false),
        (2, 3, true),
        (3, 3, false),
        (4, 3, false),
        (0, 1, true),
        (1, 1, false),
        (0, 0, false),
    ] {
        let (gate, _) = busy(in_flight, now);
        assert_eq!(gate.is_open(most, now), open, "{in_flight} in flight, {most} permitted");
    }
    let (mut gate, _) = busy(3, now);
    gate.leave();
    gate.end(now);
    assert_eq!(gate.in_flight(), 1);
}

#[test]
fn what_began_before_the_limit_fell_teaches_nothing_any_more() {
    let now = Timestamp::from_ms(1_000);
    let (mut gate, begun) = busy(LANE_IN_FLIGHT_START, now);
    let half = LANE_IN_FLIGHT_START / 2;
    for (one, load) in begun.iter().zip([Load::Strained, Load::Strained, Load::Borne, Load::Strained]) {
        gate.end(now);
        gate.learn(*one, load, QUICK_US);
        assert_eq!(gate.concurrency.limit(), half, "{load:?}");
    }
    assert_eq!(gate.in_flight(), LANE_IN_FLIGHT_START - 4);
    gate.leave();
    let next = gate.enter(now);
    gate.learn(next, Load::Strained, QUICK_US);
    assert_eq!(gate.concurrency.limit(), half / 2, "this one began since");
}

#[test]
fn the_store_is_told_of_what_is_worth_a_write_and_tells_nothing_new_to_whoever_told_it() {
    let now = Timestamp::from_ms(1_000);
    let (mut gate, begun) = busy(LANE_IN_FLIGHT_START, now);
    assert_eq!(gate.lesson(), None);
    gate.learn(begun[0], Load::Strained, QUICK_US);
    let half = LANE_IN_FLIGHT_START / 2;
    assert_eq!(gate.lesson(), u16::try_from(half).ok());
    assert_eq!(gate.lesson(), None, "it knows");
    for _ in 0..half {
        let next = gate.enter(now);
        gate.learn(next, Load::Borne, QUICK_US);
    }
    assert_eq!((gate.concurrency.limit(), gate.lesson()), (half + 1, None), "hardly more");
    gate.recall(u16::try_from(half).ok());
    assert_eq!((gate.concurrency.limit(), gate.cost_us()), (half + 1, QUICK_US), "that came from here");
    gate.recall(Some(2));
    assert_eq!((gate.concurrency.limit(), gate.cost_us()), (2, ATTEMPT_COST_US_MIN), "that did not");
    gate.recall(None);
    assert_eq!(gate.concurrency, Concurrency::default(), "nothing is known of a receiver that is new");
}

#[test]
fn a_pace_closes_the_gate_until_the_next_may_follow() {
    for (per_s, closed_ms) in [(1, 980), (5, 180), (40, 5), (50, 0), (10_000, 0)] {
        let (mut gate, clock) = (Gate::default(), HandClock::default());
        assert!(gate.keeps_pace(&clock), "nothing went before");
        gate.pay(rate(per_s), &clock);
        let opens_at = (closed_ms > 0).then(|| clock.now().plus_ms(closed_ms.into()));
        assert_eq!(gate.opens_at(clock.now()), opens_at, "{per_s}/s");
        assert_eq!(gate.keeps_pace(&clock), closed_ms == 0, "{per_s}/s");
        if closed_ms > 0 {
            clock.advance_ms(closed_ms - 1);
            assert!(!gate.is_open(NO_CEILING, clock.now()) && !gate.keeps_pace(&clock), "{per_s}/s");
            clock.advance_ms(1);
        }
        assert!(gate.is_open(NO_CEILING, clock.now()) && gate.keeps_pace(&clock), "{per_s}/s");
    }
}

/// The pace goes by the clock that nobody sets; the hold, by which a core wakes, by the other.
#[test]
fn a_wall_clock_that_jumps_neither_hurries_a_pace_nor_delays_it() {
    for jump_ms in [3_600_000, -3_600_000] {
        let (mut gate, clock) = (Gate::default(), HandClock::default());
        gate.pay(rate(1), &clock);
        clock.jump_ms(jump_ms);
        assert!(gate.is_open(NO_CEILING, clock.now()), "the hold is over by {jump_ms} ms");
        assert!(!gate.keeps_pace(&clock), "and the pace is not");
        assert_eq!(gate.opens_at(clock.now()), Some(clock.now().plus_ms(980)), "it is closed anew");
        clock.advance_ms(980);
        assert!(gate.is_open(NO_CEILING, clock.now()) && gate.keeps_pace(&clock));
    }
}

#[test]
fn a_receiver_is_slow_that_takes_long_or_is_missed() {
    let slow_us = u64::try_from(SLOW_AFTER.as_micros()).expect("a second");
    for (cost_us, in_flight, quiet_ms, slow) in [
        // Of one that is not known nobody knows anything but by the first attempt.
        (None, 0, 0, false),
        (None, 1, 0, true),
        (Some(ATTEMPT_COST_US_MIN), 1, 0, false),
        // After four times as long as usual, a tenth of a second at least.
        (Some(5_000), 1, 99, false),
        (Some(5_000), 1, 100, true),
        (Some(QUICK_US), 1, 159, false),
        (Some(QUICK_US), 9, 160, true),
        (Some(QUICK_US), 0, 10_000, false),
        // A second at most.
        (Some(slow_us - 1), 1, 999, false),
        (Some(slow_us - 1), 1, 1_000, true),
        (Some(slow_us), 0, 0, true),
    ] {
        let now = Timestamp::from_ms(1_000);
        let gate = Gate { cost_us, ..busy(in_flight, now).0 };
        assert_eq!(gate.is_slow(now.plus_ms(quiet_ms)), slow, "{cost_us:?}, {in_flight}, {quiet_ms} ms");
    }
    let now = Timestamp::from_ms(1_000);
    let mut gate = Gate { cost_us: Some(QUICK_US), ..busy(2, now).0 };
    gate.end(now.plus_ms(500));
    assert!(!gate.is_slow(now.plus_ms(600)), "something has ended since");
    gate.end(now.plus_ms(600));
    gate.enter(now.plus_ms(9_000));
    assert!(!gate.is_slow(now.plus_ms(9_100)), "nobody can be missed who was sent nothing");
}

#[test]
fn what_an_attempt_takes_is_believed_by_an_eighth() {
    let (mut gate, begun) = busy(3, Timestamp::from_ms(1_000));
    assert_eq!(gate.cost_us(), ATTEMPT_COST_US_MIN);
    for (used_us, cost_us) in [(80_000, 80_000), (160_000, 90_000), (10_000, 80_000)] {
        gate.learn(begun[0], Load::Unknown, used_us);
        assert_eq!(gate.cost_us(), cost_us);
    }
}
