//! What comes again needs a reason, and its time.

use super::*;
use crate::torture::chronicle::End;

#[test]
fn a_duplicate_needs_a_reason() {
    let mut world = delivered().arrive(20_000, Reply::Taken);
    assert_eq!((world.violations(), world.judge().duplicated), (vec![Violation::Unexplained], 1));
    world.chronicle.outages.push(Outage { killed: 10_100, launched: 10_150 });
    assert_eq!(world.violations(), []);
    assert_eq!(world.judge().explained, BTreeMap::from([(Reason::Killed, 1)]));
    assert_eq!(world.judge().unrecorded_ms_max, 70, "taken at 10,030, killed at 10,100");
    let mut cut_off = delivered().arrive(11_500, Reply::Taken);
    cut_off.chronicle.gone.push(Span::new(10_025, 10_800));
    assert_eq!(cut_off.violations(), []);
    cut_off.hooks[0].temper = Temper::Steady;
    assert_eq!(cut_off.violations(), [Violation::Unexplained]);
    let mut late = delivered().arrive(20_000, Reply::Taken);
    late.chronicle.outages.push(Outage { killed: 10_331, launched: 10_250 });
    assert_eq!(late.violations(), [Violation::Unexplained], "301 ms are enough to record it");
    late.chronicle.stalls.push(Span::new(10_100, 10_150));
    assert_eq!(late.violations(), [], "not when nobody could work");
}

#[test]
fn an_orderly_end_explains_no_duplicate() {
    let after = |end| {
        let mut world = delivered().arrive(20_000, Reply::Taken);
        world.chronicle.note_end(10_100, end);
        world
    };
    assert_eq!(after(End::InOrder).violations(), [Violation::Unexplained]);
    assert_eq!(
        (after(End::InOrder).chronicle.counts.kills, after(End::InOrder).chronicle.counts.stops),
        (0, 1)
    );
    assert_eq!(after(End::Killed).violations(), []);
    assert_eq!(after(End::Killed).chronicle.counts.kills, 1);
}

#[test]
fn what_an_excuse_covers_is_counted() {
    let mut world = World::new(NATIVE)
        .arrive(10_020, Reply::ServerError)
        .arrive(11_100, Reply::Taken)
        .arrive(30_000, Reply::Taken)
        .listed(Status::Delivered);
    world.chronicle.outages.push(Outage { killed: 11_200, launched: 11_250 });
    let judgement = world.judge();
    assert_eq!((judgement.taken, judgement.excused), (2, BTreeMap::from([(Reason::Killed, 1)])));
    world.chronicle.outages[0].killed = 40_000;
    assert_eq!(world.judge().excused, BTreeMap::new());
}

#[test]
fn a_retry_before_its_time_is_seen() {
    let early = |reply, at| {
        World::new(NATIVE).arrive(10_020, reply).arrive(at, Reply::Taken).listed(Status::Delivered)
    };
    assert_eq!(early(Reply::ServerError, 10_900).violations(), [Violation::TooEarly]);
    assert_eq!(early(Reply::ServerError, 11_020).violations(), []);
    assert_eq!(early(Reply::TooMany, 11_500).violations(), [Violation::TooEarly]);
    assert_eq!(early(Reply::Hung, 12_000).violations(), [Violation::TooEarly]);
    let mut stepped = early(Reply::ServerError, 10_500);
    stepped.chronicle.shifts.push(Shift { span: Span::new(10_300, 12_000), least_ms: 9_000, most_ms: 9_000 });
    stepped.arrivals[1].skew_ms = Some(8_500);
    assert_eq!(stepped.violations(), []);
    let mut stalled = early(Reply::ServerError, 10_900);
    stalled.chronicle.stalls.push(Span::new(9_930, 10_010));
    assert_eq!(stalled.violations(), [], "its arrival was written down late");
    stalled.chronicle.stalls[0] = Span::new(9_500, 9_580);
    assert_eq!(stalled.violations(), [Violation::TooEarly]);
}

#[test]
fn arrivals_of_one_millisecond_keep_their_order() {
    let mut world = World::new(NATIVE);
    let numbers: Vec<u32> = (1..100).rev().collect();
    for number in &numbers {
        world.publish(*number, Fate::Acknowledged, 10_000);
        world.record.deliveries.push(Listed { number: *number, hook: 0, status: Status::Delivered });
    }
    // A connection that was used before breaks, and the attempt is made over another one at once.
    for reply in [Reply::CutOff, Reply::Taken] {
        world = world.arrive(10_020, reply);
        let first = world.arrivals.pop().expect("it has just come");
        for number in &numbers {
            let (number, wire_id) = (*number, fingerprint(&format!("evt_{number}")));
            world.arrivals.push(Arrival { number, wire_id, ..first });
        }
    }
    assert!(!world.violations().contains(&Violation::Unexplained), "{:?}", world.judge().findings);
}
